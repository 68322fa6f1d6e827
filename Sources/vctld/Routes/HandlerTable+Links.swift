// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addLinks(_ core: Core) {
        let taps = core.taps
        on("tap.list") { $0.reply(try await taps.list(try $0.query.list())) }
        on("tap.create", TAPCreate.self) { try $0.reply(try await taps.create($1, $0.context)) }
        on("tap.show") { $0.reply(try await taps.show(try $0.reference())) }
        on("tap.delete") { try $0.reply(try await taps.delete(try $0.reference(), $0.context)) }
    }
}
