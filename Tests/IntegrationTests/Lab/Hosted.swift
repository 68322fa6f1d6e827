// SPDX-License-Identifier: Apache-2.0
import Testing

/// All tests with real guests. They run one after another: each loads the whole machine.
@Suite(.serialized)
enum RealGuests {}

/// Why a suite has no host, and what its daemon said before.
struct NoHost: Error, CustomStringConvertible {
    var cause: String
    var log: String
    var description: String { "\(cause)\nthe end of vctld's log:\n\(log)" }
}

/// Gives a suite a fresh host with a running daemon and the image `tiny`, and takes it away afterwards.
struct Hosted: SuiteTrait, TestScoping {
    let name: String

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let lab = Lab(name)
        do {
            try lab.start()
            try lab.must("image", "import", "tiny", "\(Lab.images)/tiny.qcow2")
            try await Lab.$shared.withValue(lab) { try await function() }
        } catch {
            let failure = NoHost(cause: "\(error)", log: lab.endOfDaemonLog())
            try? lab.delete()
            throw failure
        }
        let errors = lab.internalErrors()
        try lab.delete()
        #expect(errors.isEmpty, "vctld reported errors of its own")
    }
}

extension Trait where Self == Hosted {
    /// A fresh host of that name for the suite.
    static func hosted(_ name: String) -> Hosted { Hosted(name: name) }
}
