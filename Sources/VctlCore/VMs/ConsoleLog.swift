// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

/// The kept log of a serial console, as a stream of its bytes, through rotations too.
public struct ConsoleLog: AsyncSequence, Sendable {
    let path: String
    let tail: Int64?
    /// Whether more can come; asked at each end of the file. `nil`: the end of the file is the end.
    let goesOn: (@Sendable () async -> Bool)?

    public func makeAsyncIterator() -> Iterator { Iterator(log: self) }

    /// Reads the file piece by piece.
    public struct Iterator: AsyncIteratorProtocol {
        let log: ConsoleLog
        var file: FileHandle?
        var inode: UInt64 = 0

        init(log: ConsoleLog) {
            self.log = log
            open(first: true)
        }

        /// The next bytes; `nil` at the end.
        public mutating func next() async throws -> [UInt8]? {
            while !Task.isCancelled {
                if let data = try file?.read(upToCount: 65536), !data.isEmpty { return Array(data) }
                guard let goesOn = log.goesOn else { return nil }
                if rotated {
                    open(first: false)
                    continue
                }
                guard await goesOn() else { return try lastBytes() }
                try await Task.sleep(for: .milliseconds(100))
            }
            return nil
        }

        /// What was written between the last read and the news that nothing more comes.
        private func lastBytes() throws -> [UInt8]? {
            let data = try file?.read(upToCount: 65536) ?? Data()
            return data.isEmpty ? nil : Array(data)
        }

        private var rotated: Bool { Self.inode(of: log.path).map { $0 != inode } ?? false }

        private mutating func open(first: Bool) {
            file = FileHandle(forReadingAtPath: log.path)
            inode = Self.inode(of: log.path) ?? 0
            guard first, let tail = log.tail, let file, let end = try? file.seekToEnd() else { return }
            try? file.seek(toOffset: end > UInt64(tail) ? end - UInt64(tail) : 0)
        }

        private static func inode(of path: String) -> UInt64? {
            var status = stat()
            return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
        }
    }
}

extension VMService {
    /// What the serial console has printed: all of the kept log, or its last `tail` bytes; with `follow` also
    /// what comes, as long as the VM runs.
    public func consoleLog(_ reference: Reference, follow: Bool, tail: Int64?) async throws -> ConsoleLog {
        let row = try await row(reference)
        let path = environment.state.consoleLog(row.id)
        guard FileManager.default.fileExists(atPath: path) || follow else {
            throw Problem(
                .vmNoConsole, "there is no console log of VM \(shown(row.name)) yet",
                hint: "vctl vm start \(row.name)")
        }
        let inventory = inventory
        let goesOn: @Sendable () async -> Bool = {
            guard let vm = try? await inventory.read({ try VMStore.value($0, row.id) }) else { return false }
            return vm.state == .running || vm.state == .paused
        }
        return ConsoleLog(path: path, tail: tail, goesOn: follow ? goesOn : nil)
    }

    /// Types on the serial console.
    public func consoleInput(_ reference: Reference, _ bytes: [UInt8], _ context: RequestContext) async throws
    {
        let row = try await current(reference, context)
        _ = try environment.hypervisor.connection()
        let domain = try await DomainEffects(environment: environment).existing(row.id)
        do {
            try await type(bytes, on: try await domain.openConsole())
        } catch let error as LibvirtError where error.code == .operationInvalid {
            throw Problem(
                .vmState, "VM \(shown(row.name)) is not running", hint: "vctl vm start \(row.name)")
        } catch let error as LibvirtError where error.code == .operationFailed {
            throw Problem(
                .vmBusy,
                "the console of VM \(shown(row.name)) is in use: \(shown(error.message, limit: 200))",
                hint: "close the other console, such as virsh console")
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        try await inventory.write { try $0.audit(context, target: row.name) }
    }

    /// QEMU looks only once a second whether somebody has opened its terminal, and what is typed and closed
    /// before that is lost: the stream stays open for two looks, and what the guest prints meanwhile, which
    /// the log has too, is dropped.
    private func type(_ bytes: [UInt8], on console: ByteStream) async throws {
        try await console.write(bytes)
        let reader = Task { while try await console.read() != nil {} }
        try await Task.sleep(for: .seconds(2))
        reader.cancel()
        try await console.finish()
    }

    /// libvirt's definition, without secrets: what runs, or what the next start takes.
    public func xml(_ reference: Reference, inactive: Bool) async throws -> String {
        let row = try await row(reference)
        _ = try environment.hypervisor.connection()
        do {
            let domain = try await DomainEffects(environment: environment).existing(row.id)
            return try await domain.xml(inactive ? .inactive : [])
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }
}
