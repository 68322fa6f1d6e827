// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// A list as the daemon gave it.
struct ListReply {
    /// An object, and where its bytes are.
    typealias Row = (node: JSONNode, page: Int, range: Range<Int>)

    let head: ReplyHead
    var pages: [[UInt8]]

    /// The objects of all pages.
    func rows() throws -> [Row] {
        try pages.enumerated().flatMap { index, page in
            try JSONNode.elements(of: page).map { (node: $0.node, page: index, range: $0.range) }
        }
    }
}

/// Reading lists.
enum Lists {
    /// The first page of a list, or all of them.
    static func fetch(_ client: Client, _ request: Request, allPages: Bool = true) throws -> ListReply {
        let first = try client.send(request)
        var list = ListReply(head: first.head, pages: [first.bytes])
        var next = allPages ? nextPage(first.head) : nil
        while let target = next {
            let reply = try client.send(Request(method: "GET", target: target))
            list.pages.append(reply.bytes)
            next = nextPage(reply.head)
        }
        return list
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
