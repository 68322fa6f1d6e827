// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm rename`.
struct VMRename: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a VM another name; a running one gets it when it stops.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @Argument(help: .init("Name or UUID.", valueName: "name")) var name: String
    @Argument(help: .init("The new name.", valueName: "new-name"), transform: Parse.name) var newName: Name

    func run() throws {
        var patch = VMPatch()
        patch.name = newName
        let names = try checkedReferences([name])
        let request = Request(Endpoints.named("vm.set"), names, query: wait.change.query)
        let batch = Batch(connect.client(), .vm, output, wait)
        batch.saysPending = true
        try batch.run([Job(name: name, request: try request.json(patch, as: Wire.mergePatch))])
    }
}
