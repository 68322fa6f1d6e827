// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What `list` of every kind of link understands.
struct LinkListOptions: ParsableArguments {
    @OptionGroup var options: ListOptions

    @Option(
        name: .customLong("select"), help: .init("Those with this label.", valueName: "k=v"),
        transform: Parse.keyValue)
    var select: [KeyValue] = []

    func run(_ noun: Noun) throws {
        try options.run(noun, query: select.map { ("label", "\($0.key)=\($0.value)") })
    }
}
