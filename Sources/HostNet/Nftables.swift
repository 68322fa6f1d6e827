// SPDX-License-Identifier: Apache-2.0
import CNftables
import Glibc

/// One table of nftables: what stands in it is replaced as a whole or changed in parts, in one transaction,
/// and no other table is looked at or changed.
public struct NftablesTable: Sendable, Hashable {
    /// `inet`, `bridge`, …
    public let family: String
    /// Its name.
    public let name: String

    /// The table of that name.
    public init(family: String, name: String) {
        self.family = family
        self.name = name
    }

    /// Makes what stands between the table's braces equal to `body`, or removes the table with `nil`.
    /// - Throws: ``HostNetError``; then nothing has changed.
    public func replace(with body: String?) throws {
        _ = try Self.run(
            script(for: body), "\(body == nil ? "remove" : "write") nftables table \(family) \(name)")
    }

    /// A change of a part of the table.
    public enum Edit: Sendable, Hashable {
        /// Declares what a table has between its braces, beside what is there: new chains and maps, and new
        /// rules behind those that a chain has.
        case add(String)
        /// Removes the rules of a chain.
        case flush(chain: String)
        /// Removes a chain that has no rules, and to which nothing leads.
        case removeChain(String)
        /// Removes a map that no rule looks into.
        case removeMap(String)
        /// Adds elements, as they stand between the braces of a map.
        case addElements([String], map: String)
        /// Removes elements by their keys.
        case removeElements([String], map: String)
    }

    /// Makes all of the changes, in this order, or none.
    /// - Throws: ``HostNetError``; then nothing has changed.
    public func change(_ edits: [Edit]) throws {
        _ = try Self.run(script(for: edits), "change nftables table \(family) \(name)")
    }

    /// The commands that do so, as `nft --file` takes them, too.
    public func script(for edits: [Edit]) -> String {
        let title = "\(family) \(name)"
        return edits.map { edit in
            switch edit {
            case .add(let text): "table \(title) {\n\(text)}\n"
            case .flush(let chain): "flush chain \(title) \(chain)\n"
            case .removeChain(let chain): "delete chain \(title) \(chain)\n"
            case .removeMap(let map): "delete map \(title) \(map)\n"
            case .addElements(let elements, let map):
                "add element \(title) \(map) { \(elements.joined(separator: ", ")) }\n"
            case .removeElements(let keys, let map):
                "delete element \(title) \(map) { \(keys.joined(separator: ", ")) }\n"
            }
        }.joined()
    }

    /// The commands that replace all of it, as `nft --file` takes them, too.
    public func script(for body: String?) -> String {
        head + (body.map { "table \(family) \(name) {\n\($0)}\n" } ?? "")
    }

    /// Declared first, so that it can be removed whether it was there or not.
    private var head: String { "table \(family) \(name) { }\ndelete table \(family) \(name)\n" }

    /// Runs such commands.
    /// - Throws: ``HostNetError``: `EINVAL` where they are not about this table; then nothing has changed.
    public func run(script: String) throws {
        let call = "load nftables table \(family) \(name)"
        guard script.hasPrefix(head) else {
            throw HostNetError(
                call: call, errno: EINVAL, message: "the text is about something else", isOfRules: true)
        }
        _ = try Self.run(script, call)
    }

    /// What stands in it, without counters, in the kernel's own words; `nil` where there is no such table.
    /// - Throws: ``HostNetError``.
    public func read() throws -> String? {
        guard try isThere() else { return nil }
        do {
            return try Self.run("list table \(family) \(name)", "list nftables table \(family) \(name)")
        } catch {
            // Somebody may have removed it meanwhile.
            guard try isThere() else { return nil }
            throw error
        }
    }

    private func isThere() throws -> Bool {
        let tables = try Self.run("list tables \(family)", "list nftables tables")
        return tables.split(separator: "\n").contains("table \(family) \(name)")
    }

    /// Runs commands as one transaction, and gives what they print.
    private static func run(_ commands: String, _ call: String) throws -> String {
        guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw HostNetError(
                call: call, errno: errno, message: "libnftables does not start", isOfRules: true)
        }
        defer { nft_ctx_free(context) }
        nft_ctx_buffer_output(context)
        nft_ctx_buffer_error(context)
        let plain = UInt32(NFT_CTX_OUTPUT_STATELESS) | UInt32(NFT_CTX_OUTPUT_NUMERIC_ALL)
        nft_ctx_output_set_flags(context, plain)
        errno = 0
        guard nft_run_cmd_from_buffer(context, commands) == 0 else {
            let code = errno
            throw HostNetError(
                call: call, errno: code, message: text(nft_ctx_get_error_buffer(context)), isOfRules: true)
        }
        return text(nft_ctx_get_output_buffer(context))
    }

    /// The first line says what is wrong; those below point into the text that was given.
    private static func text(_ buffer: UnsafePointer<CChar>?) -> String {
        buffer.map { String(cString: $0) } ?? ""
    }
}
