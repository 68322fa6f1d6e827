// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// How a console is joined.
public struct ConsoleWish: Sendable {
    public var readOnly = false
    /// Put out who types.
    public var force = false
    /// Begin with so much of what was said before, in bytes.
    public var tail: Int64 = 0
    public init() {}
}

extension VMService {
    /// Joins the serial console.
    /// - Throws: ``Problem`` `console.busy`, `vm.state`, `vm.noConsole`.
    public func console(
        _ reference: Reference, _ wish: ConsoleWish, _ context: RequestContext
    ) async throws -> ConsoleSession {
        let row = try await current(reference, context)
        try refuseOff(row)
        let isLogged = try await isLogged(row.id)
        let (seat, cut) = seat(row, context)
        if !wish.readOnly { try await consoles.claim(seat, force: wish.force) }
        do {
            let needsLine = !wish.readOnly || !isLogged
            let line = needsLine ? try await line(row, force: wish.force) : nil
            if wish.readOnly { await consoles.watch(seat) }
            try await inventory.write { try $0.audit(context, target: row.name) }
            let kept = log(row.id, tail: wish.tail, follow: true)
            let source: ConsoleSession.Source =
                !isLogged ? .line(tail: wish.tail) : line == nil ? .log(kept) : .seam(kept)
            return ConsoleSession(
                seat, consoles, line: line, types: !wish.readOnly, source: source, cut: cut,
                isOn: isOn(row.id))
        } catch {
            await consoles.leave(seat)
            throw error
        }
    }

    /// Who is on the console.
    public func consoleStatus(_ reference: Reference) async throws -> ConsoleStatus {
        await consoles.status(of: try await row(reference).id)
    }

    /// What the serial console has printed: all of the kept log, or its last `tail` bytes; with `follow` also
    /// what comes, as long as the VM runs.
    public func consoleLog(_ reference: Reference, follow: Bool, tail: Int64?) async throws -> ConsoleLog {
        let row = try await row(reference)
        guard KeptLog(path: environment.state.consoleLog(row.id)).exists || follow else {
            let name = shown(row.name)
            throw Problem(
                .vmNoConsole, "there is no console log of VM \(name)",
                hint: "VMs that vctl makes, and not of a given XML, keep one from their first start on;"
                    + " to look now: vctl console \(name)")
        }
        return log(row.id, tail: tail, follow: follow)
    }

    /// Types on the serial console, if nobody else does.
    public func consoleInput(_ reference: Reference, _ bytes: [UInt8], _ context: RequestContext) async throws
    {
        let row = try await current(reference, context)
        try refuseOff(row)
        let (seat, cut) = seat(row, context)
        try await consoles.claim(seat, force: context.force)
        do {
            let line = try await line(row, force: context.force)
            do {
                try await inventory.write { try $0.audit(context, target: row.name) }
                try await type(bytes, on: line, until: cut)
            } catch {
                await consoles.giveBack(line, of: row.id)
                throw Problem(
                    .vmState, "the console of VM \(shown(row.name)) was closed before all was typed",
                    hint: "vctl vm show \(shown(row.name))")
            }
            await consoles.giveBack(line, of: row.id)
        } catch {
            await consoles.leave(seat)
            throw error
        }
        await consoles.leave(seat)
    }

    /// Ends early when somebody else has taken over.
    private func type(_ bytes: [UInt8], on line: ConsoleLine, until cut: AsyncStream<Void>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await line.type(bytes)
                try await line.drain()
                await line.settle()
            }
            group.addTask {
                for await _ in cut {}
                try Task.checkCancellation()
                throw CancellationError()
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private var consoles: ConsoleHub { environment.consoles }

    private func seat(_ row: VMRow, _ context: RequestContext) -> (ConsoleHub.Session, AsyncStream<Void>) {
        let (cut, knife) = AsyncStream<Void>.makeStream()
        let caller = context.caller
        let user = ConsoleWriter(uid: caller.uid, user: caller.user, pid: caller.pid, since: .now)
        let seat = ConsoleHub.Session(id: ObjectID(), vm: row.id, name: row.name, user: user) { _ in
            knife.finish()
        }
        return (seat, cut)
    }

    private func log(_ id: ObjectID, tail: Int64?, follow: Bool) -> ConsoleLog {
        ConsoleLog(
            kept: KeptLog(path: environment.state.consoleLog(id)), tail: tail,
            goesOn: follow ? isOn(id) : nil)
    }

    private func isOn(_ id: ObjectID) -> @Sendable () async -> Bool {
        let inventory = inventory
        return {
            guard let vm = try? await inventory.read({ try VMStore.value($0, id) }) else { return false }
            return vm.state == .running || vm.state == .paused
        }
    }

    func refuseOff(_ row: VMRow) throws {
        let state = try row.value().state
        guard state != .running, state != .paused else { return }
        let name = shown(row.name)
        throw Problem(
            .vmState, "VM \(name) is \(state.rawValue)",
            hint: "vctl vm start \(name); what it said before: vctl vm console \(name) --log")
    }

    /// Whether what runs writes all that it says to our log. While libvirt is away, the file has to do.
    private func isLogged(_ id: ObjectID) async throws -> Bool {
        let path = environment.state.consoleLog(id)
        guard environment.hypervisor.isConnected else { return KeptLog(path: path).exists }
        do {
            let domain = try await DomainEffects(environment: environment).existing(id)
            let xml = try DomainXML(parsing: try await domain.xml())
            return (xml.serials + xml.consoles).contains { $0.logFile == path }
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    private func line(_ row: VMRow, force: Bool) async throws -> ConsoleLine {
        _ = try environment.hypervisor.connection()
        _ = try await DomainEffects(environment: environment).existing(row.id)
        let uri = environment.hypervisor.uri
        do {
            return try await consoles.line(of: row.id) {
                let connection = try await Connection.open(uri: uri, executor: .consoles)
                let domain = try await connection.domain(uuid: row.id.uuid)
                return ConsoleLine(ConsoleWire(try await domain.openConsole(nil, force ? .force : [])))
            }
        } catch let error as LibvirtError {
            throw refusal(row, error)
        }
    }

    private func refusal(_ row: VMRow, _ error: LibvirtError) -> Problem {
        let name = shown(row.name)
        switch error.code {
        case .operationInvalid:
            return Problem(.vmState, "VM \(name) is not running", hint: "vctl vm start \(name)")
        case .operationFailed:
            return Problem(
                .consoleBusy, "another program is using the console of VM \(name): \(shown(error.message))",
                hint: "close it (virsh console?), or take the console over: vctl console \(name) --force")
        case .internalError, .configUnsupported, .noSupport, .systemError:
            return Problem(
                .vmNoConsole, "VM \(name) has no console to open: \(shown(error.message, limit: 200))",
                hint: "vctl vm xml \(name) shows its serial lines; only a pty can be opened")
        default: return Problem(libvirt: error)
        }
    }
}
