// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// Which VMs a list is cut down to.
struct SelectOptions: ParsableArguments {
    @Option(
        name: .customLong("vms"), help: .init("VMs whose name matches, with * ? [ ].", valueName: "glob"),
        completion: Live.vms)
    var vms: String?

    @Option(
        name: .customLong("select"),
        help: .init("Objects with this label; all given must match.", valueName: "k=v"),
        completion: Live.labels, transform: Parse.keyValue)
    var select: [KeyValue] = []

    @Flag(name: .customLong("managed"), help: "Only VMs that vctl manages: what it made or adopted.")
    var managed = false

    var isEmpty: Bool { vms == nil && select.isEmpty && !managed }
    var query: [(String, String)] { select.map { ("label", "\($0.key)=\($0.value)") } }
    /// The members of a VM that ``matches(_:)`` looks at.
    var needed: [String] { (vms == nil ? [] : ["name"]) + (managed ? ["managed"] : []) }

    /// Whether a VM is meant, as far as the daemon does not choose by the query.
    func matches(_ row: JSONNode) -> Bool {
        if managed, row["managed"]?.truth != true { return false }
        guard let vms else { return true }
        return fnmatch(vms, row["name"]?.text ?? "", 0) == 0
    }
}

/// The VMs that a verb is for.
struct VMTargets: ParsableArguments {
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.vms)
    var names: [String] = []

    @OptionGroup var selection: SelectOptions

    /// The references in order, each once.
    /// - Throws: a ``Failure`` where neither a name nor a selection is given.
    func resolve(_ client: Client) throws -> [String] {
        guard !names.isEmpty || !selection.isEmpty else {
            throw Failure.usage(
                "no VM is named", hint: "name one, or select with --vms GLOB, --select K=V or --managed")
        }
        // Names are added to what is selected; one of a VM that is not managed would be taken all the same.
        guard names.isEmpty || !selection.managed else {
            throw Failure.usage(
                "--managed does not go with names", hint: "name VMs, or select them: --managed --vms GLOB")
        }
        var result = try checkedReferences(names)
        guard !selection.isEmpty else { return result }
        let query = selection.query + [("fields", "id,name" + (selection.managed ? ",managed" : ""))]
        for row in try Lists.fetch(client, Request(Endpoints.named("vm.list"), query: query)).rows() {
            guard let name = row.node["name"]?.text, let id = row.node["id"]?.text else { continue }
            if selection.matches(row.node), !result.contains(name), !result.contains(id) {
                result.append((try? Name(name)) == nil ? id : name)
            }
        }
        if result.isEmpty { Standard.error("no VM matches") }
        return result
    }
}

/// Names or UUIDs, each once, none of them empty.
func checkedReferences(_ names: [String]) throws -> [String] {
    var seen: Set<String> = []
    return try names.filter { name in
        _ = try Reference(checking: name)
        return seen.insert(name).inserted
    }
}
