// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// Labels of a new object.
struct LabelOptions: ParsableArguments {
    @Option(
        name: .customLong("label"), help: .init("A label; may be repeated.", valueName: "k=v"),
        transform: Parse.keyValue)
    var label: [KeyValue] = []

    /// The labels; the last value of a key counts.
    var labels: [String: String]? {
        label.isEmpty ? nil : Dictionary(label.map { ($0.key, $0.value) }) { $1 }
    }
}

/// Changes of an object's labels.
struct LabelChanges: ParsableArguments {
    @OptionGroup var added: LabelOptions

    @Option(name: .customLong("unset-label"), help: .init("Remove a label; may be repeated.", valueName: "k"))
    var removed: [String] = []

    func validate() throws {
        let set = Set(added.label.map(\.key))
        guard let key = removed.first(where: set.contains) else { return }
        throw ValidationError("--label and --unset-label both name \"\(shown(key))\"")
    }

    /// A merge patch: removed labels are `null`.
    var changes: [String: String?]? {
        guard !added.label.isEmpty || !removed.isEmpty else { return nil }
        var changes: [String: String?] = [:]
        for key in removed { changes.updateValue(nil, forKey: key) }
        for label in added.label { changes.updateValue(label.value, forKey: label.key) }
        return changes
    }
}
