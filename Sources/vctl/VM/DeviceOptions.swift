// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import VctlAPI
import VctlClient

/// What every change of one VM's devices understands.
struct DeviceOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var key: KeyOption

    @Argument(help: .init("The VM's name or UUID.", valueName: "vm"))
    var vm: String

    /// Sends a request about a device, and prints the VM that came of it.
    func run(
        _ endpoint: String, _ device: [String] = [], query: [(String, String)] = [],
        _ fill: (Request) throws -> Request
    ) throws {
        let names = try checkedReferences([vm]) + device
        var request = try fill(
            Request(Endpoints.named(endpoint), names, query: wait.change.query + query))
        if !wait.dryRun, Endpoints.named(endpoint).method == .post { request = try request.keyed(key.key) }
        try Batch(connect.client(), .vm, output, wait).run([Job(name: vm, request: request)])
    }
}

/// Lists a part of a VM.
struct DeviceList: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: .init("The VM's name or UUID.", valueName: "vm"))
    var vm: String

    func run(_ noun: Noun, _ part: (VM) -> some Encodable) throws {
        let printer = try Printer(noun, output)
        let names = try checkedReferences([vm])
        let reply = try connect.client().send(Request(Endpoints.named("vm.show"), names))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = [UInt8](try encoder.encode(part(try reply.decoded(as: VM.self))))
        printer.rows(try JSONNode(parsing: bytes).elements) { bytes }
    }
}
