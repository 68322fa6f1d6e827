// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// A list as the daemon gave it.
struct ListReply {
    var head: ReplyHead
    var pages: [[UInt8]]
    var rows: [(node: JSONNode, page: Int, range: Range<Int>)]

    /// The array, byte for byte where it came in one page and nothing was left out.
    func raw(complete: Bool) -> [UInt8] {
        if complete, pages.count == 1 { return pages[0] }
        return Lists.joined(rows.map { Array(pages[$0.page][$0.range]) })
    }
}

/// Reading lists.
enum Lists {
    /// All pages of a list.
    static func all(_ client: Client, _ request: Request, until deadline: Deadline = .never) throws
        -> ListReply
    {
        let first = try client.send(request, until: deadline)
        var list = ListReply(head: first.head, pages: [], rows: [])
        try append(first, to: &list)
        var next = nextPage(first.head)
        while let target = next {
            let reply = try client.send(Request(method: "GET", target: target), until: deadline)
            try append(reply, to: &list)
            next = nextPage(reply.head)
        }
        return list
    }

    private static func append(_ reply: Reply, to list: inout ListReply) throws {
        let page = list.pages.count
        list.pages.append(reply.bytes)
        list.rows += try JSONNode.elements(of: reply.bytes).map { ($0.node, page, $0.range) }
    }

    /// The target in `Link: <…>; rel="next"`.
    static func nextPage(_ head: ReplyHead) -> String? {
        for (name, value) in head.headers where name == "link" {
            for link in value.split(separator: ",") where link.contains("rel=\"next\"") {
                guard let open = link.firstIndex(of: "<"), let close = link.firstIndex(of: ">"), open < close
                else { continue }
                return String(link[link.index(after: open)..<close])
            }
        }
        return nil
    }

    /// An array of objects that came one by one.
    static func joined(_ objects: [[UInt8]]) -> [UInt8] {
        var result: [UInt8] = [0x5B]
        for (index, object) in objects.enumerated() {
            if index > 0 { result.append(0x2C) }
            result += object
        }
        return result + [0x5D]
    }

    /// Says on stderr how old the view is, where libvirt is away.
    static func warnIfOld(_ head: ReplyHead) {
        guard head["Vctl-Libvirt"]?.lowercased() == "disconnected" else { return }
        guard let text = head[Wire.observedAt], let seen = try? Timestamp(checking: text) else {
            return Standard.error("warning: libvirt is not connected; this is what was known before")
        }
        let age = max(0, Timestamp.now.milliseconds - seen.milliseconds) / 1000
        Standard.error("warning: libvirt is not connected; this is how things were \(span(age)) ago")
    }

    /// `42s`, `3m 20s`, `5h 10m`, `2d 4h`.
    static func span(_ seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3600: "\(seconds / 60)m \(seconds % 60)s"
        case ..<86_400: "\(seconds / 3600)h \(seconds % 3600 / 60)m"
        default: "\(seconds / 86_400)d \(seconds % 86_400 / 3600)h"
        }
    }
}
