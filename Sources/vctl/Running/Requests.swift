// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

extension Request {
    /// The same request with an idempotency key: the given one, or one made up for this run.
    func keyed(_ key: String?) throws -> Request {
        if let key {
            guard !key.isEmpty, key.utf8.count <= 255, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else {
                throw Failure.usage("an idempotency key is 1 to 255 visible ASCII characters")
            }
        }
        return header(Wire.idempotencyKey, key ?? ObjectID().rawValue)
    }
}

/// Asks before something is lost.
enum Confirmation {
    /// - Throws: a ``Failure`` where nobody can be asked, or the answer is no.
    static func need(_ yes: YesOption, _ question: String) throws {
        if yes.yes { return }
        guard Standard.inIsTerminal else {
            throw Failure(
                message: "this needs to be confirmed: \(question)", code: "usage.confirm", hint: "add --yes",
                exit: .usage)
        }
        guard Standard.confirms(question) else {
            throw Failure(
                message: "not confirmed; nothing was changed", code: "usage.confirm", hint: nil, exit: .usage)
        }
    }
}

/// `show` of one object or several.
enum ShowRun {
    /// - Parameter kept: a client that is used for more; each one may have to log in anew.
    /// - Returns: the replies that were printed.
    @discardableResult
    static func run(
        _ noun: Noun, _ names: [String], _ connect: ConnectOptions, _ output: OutputOptions,
        by kept: Client? = nil
    ) throws -> [[UInt8]] {
        let printer = try Printer(noun, output)
        let client = kept ?? connect.client()
        var replies: [[UInt8]] = []
        var first: ExitCode?
        for name in try checkedReferences(names) {
            do {
                let reply = try client.send(
                    Request(Endpoints.named("\(noun.name).show"), noun.parameters(name)))
                Lists.warnIfOld(reply.head)
                replies.append(reply.bytes)
            } catch {
                let failure = Failure(error)
                for line in failure.lines { Standard.error(line) }
                first = first ?? failure.exit
            }
        }
        if !replies.isEmpty { try printer.objects(replies, asArray: names.count > 1, detailed: true) }
        if let first { throw Ended(exit: first) }
        return replies
    }
}
