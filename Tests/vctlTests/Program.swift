// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The built `vctl`, run as users run it.
struct Program {
    let status: Int32
    let out: String
    let err: String

    static let path: String = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("vctl").path
    }()

    /// Runs it to its end.
    @discardableResult
    static func run(
        _ arguments: [String], socket: String = "/nonexistent/vctld.sock", input: String = "",
        environment: [String: String] = [:]
    ) throws -> Program {
        try run(program: path, arguments, input: input, environment: Self.environment(socket, environment))
    }

    /// Runs any program to its end, with this environment and no other.
    static func run(
        program: String, _ arguments: [String], input: String = "", environment: [String: String]
    ) throws -> Program {
        let (process, pipes) = try start(program: program, arguments, environment: environment)
        pipes.input.fileHandleForWriting.write(Data(input.utf8))
        try pipes.input.fileHandleForWriting.close()
        return finish(process, pipes)
    }

    struct Pipes {
        let input = Pipe()
        let out = Pipe()
        let err = Pipe()
    }

    static func start(_ arguments: [String], socket: String) throws -> (Process, Pipes) {
        try start(program: path, arguments, environment: environment(socket, [:]))
    }

    private static func environment(_ socket: String, _ others: [String: String]) -> [String: String] {
        ["VCTL_SOCKET": socket, "PATH": "/usr/bin:/bin"].merging(others) { $1 }
    }

    private static func start(
        program: String, _ arguments: [String], environment: [String: String]
    ) throws -> (Process, Pipes) {
        let process = Process()
        let pipes = Pipes()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = pipes.input
        process.standardOutput = pipes.out
        process.standardError = pipes.err
        try process.run()
        return (process, pipes)
    }

    static func finish(_ process: Process, _ pipes: Pipes) -> Program {
        let out = pipes.out.fileHandleForReading.readDataToEndOfFile()
        let err = pipes.err.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Program(
            status: process.terminationStatus, out: String(decoding: out, as: UTF8.self),
            err: String(decoding: err, as: UTF8.self))
    }
}
