// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import HTTPTypes
import Logging
import VctlAPI
import VctlCore

/// The daemon from start to end: takes its places, serves, and leaves in order.
struct Daemon: Sendable {
    let configuration: Configuration
    /// Rebuild the inventory from marks and kept objects, even if there is one.
    var recover = false

    /// Runs until SIGTERM or SIGINT.
    /// - Throws: ``StartError`` and others, when it cannot start.
    func run() async throws {
        let signals = Signals()
        raiseFileLimit()
        var logger = Logger(label: "vctld") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = configuration.logLevel
        let lock = try StateLock(path: configuration.stateDirectory)
        let sockets = try Self.sockets(configuration, ProcessInfo.processInfo.environment)
        do {
            try await serve(sockets, signals, logger)
        } catch {
            sockets.forEach { $0.remove() }
            throw error
        }
        withExtendedLifetime(lock) {}
    }

    private func serve(_ sockets: [ListeningSocket], _ signals: Signals, _ logger: Logger) async throws {
        let core = try await Core(coreConfiguration, logger: logger)
        try await core.start()
        let server = try await HTTPServer(
            sockets: sockets, responder: responder(core, logger), access: access(logger),
            limits: configuration.http,
            logger: logger)
        let notify = SystemdNotify(environment: ProcessInfo.processInfo.environment)
        logger.info("serving", metadata: ["sockets": "\(sockets.map(\.path).joined(separator: " "))"])
        notify.ready()
        let watchdog = Task { await watch(notify) }
        await signals.first()
        watchdog.cancel()
        notify.stopping()
        logger.info("stopping")
        await stop(server, core)
        logger.info("stopped")
    }

    /// Requests end first, since they use the inventory; then operations, at the end of the step they are in.
    /// One that takes longer is taken up again by the next start.
    private func stop(_ server: HTTPServer, _ core: Core) async {
        await server.stop(grace: .seconds(2))
        let grace = Duration.seconds(configuration.shutdownGraceSeconds)
        await withTaskGroup(of: Void.self) { group in
            // Not a child: a step that does not end must not be waited for.
            let (ended, end) = AsyncStream<Void>.makeStream()
            Task {
                await core.shutdown()
                end.finish()
            }
            group.addTask { for await _ in ended {} }
            group.addTask { try? await Task.sleep(for: grace) }
            await group.next()
            group.cancelAll()
        }
    }

    private func watch(_ notify: SystemdNotify) async {
        guard let interval = notify.watchdogInterval else { return }
        while (try? await Task.sleep(for: interval)) != nil { notify.alive() }
    }

    private var coreConfiguration: CoreConfiguration {
        var core = CoreConfiguration(
            stateDirectory: configuration.stateDirectory, uri: configuration.libvirtURI,
            allowedPaths: configuration.allowedPaths)
        core.retentionDays = configuration.operationRetentionDays
        core.keepEvents = configuration.keptEvents
        core.shutdownGraceSeconds = Double(configuration.shutdownGraceSeconds)
        core.consoleLogBytes = Int64(configuration.consoleLogBytes)
        core.recover = recover
        core.crashes = CrashLimits(
            restarts: configuration.guests.crashRestarts,
            windowSeconds: configuration.guests.crashWindowMinutes * 60,
            pauseSeconds: configuration.guests.crashPauseSeconds)
        return core
    }

    private func access(_ logger: Logger) -> AccessPolicy {
        let access = AccessPolicy(configuration.access)
        for group in access.missing { logger.warning("[access] names a group that is not there: \(group)") }
        return access
    }

    private func responder(_ core: Core, _ logger: Logger) -> Responder {
        let table = HandlerTable.all(core, keepAlive: .seconds(configuration.http.keepAliveSeconds))
        return Responder(
            routes: RouteTable(table.routes()), logger: logger,
            noteRefusal: { context, target, code in
                try? await core.audit.refused(context, target: target, code: code)
            },
            standing: { core.host.isConnected ? nil : [.libvirt: "disconnected"] })
    }
}

extension Daemon {
    /// The sockets that systemd gave, else our own.
    static func sockets(_ configuration: Configuration, _ environment: [String: String]) throws
        -> [ListeningSocket]
    {
        let inherited = ListeningSocket.inherited(environment: environment)
        guard inherited.isEmpty else { return inherited }
        let main = try ListeningSocket.make(path: configuration.socket, kind: .readWrite)
        guard !configuration.readOnlySocket.isEmpty else { return [main] }
        do {
            return [main, try ListeningSocket.make(path: configuration.readOnlySocket, kind: .readOnly)]
        } catch {
            main.remove()
            throw error
        }
    }

    /// Each connection is a file; the soft limit is often 1024, for the sake of `select`, which nobody here
    /// uses.
    private func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
