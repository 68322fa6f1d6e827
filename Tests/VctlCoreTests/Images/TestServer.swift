// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A web server on 127.0.0.1 with the faults that downloads meet; a process of its own, ended by its pid.
final class TestServer: Sendable {
    let port: Int
    private let pid: Int32

    /// Serves `content` (and, once it has "changed", `other`).
    init(_ scratch: Scratch, content: [UInt8], other: [UInt8] = []) throws {
        try Data(content).write(to: URL(fileURLWithPath: scratch("served")))
        try Data(other).write(to: URL(fileURLWithPath: scratch("other")))
        try Self.program.write(toFile: scratch("server.py"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [scratch("server.py"), scratch("served"), scratch("other")]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        pid = process.processIdentifier
        var line = ""
        while !line.hasSuffix("\n") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw NotStarted() }
            line += String(decoding: data, as: UTF8.self)
        }
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw NotStarted() }
        self.port = port
    }

    deinit { kill(pid, SIGKILL) }

    func url(_ fault: String) -> String { "http://127.0.0.1:\(port)/\(fault)" }

    struct NotStarted: Error {}

    private static let program = """
        import http.server, sys, threading, time
        served, other = (open(name, 'rb').read() for name in sys.argv[1:3])
        count = {}
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words): pass
            def send(self, body, tag, start=0, stop=None, code=None):
                partial = start > 0
                self.send_response(code or (206 if partial else 200))
                self.send_header('Content-Length', str(len(body) - start))
                if tag: self.send_header('ETag', tag)
                if partial:
                    part = 'bytes %d-%d/%d' % (start, len(body) - 1, len(body))
                    self.send_header('Content-Range', part)
                self.end_headers()
                self.wfile.write(body[start:stop])
                self.wfile.flush()
                self.close_connection = True
            def start(self):
                value = self.headers.get('Range')
                return int(value.split('=')[1].split('-')[0]) if value else 0
            def do_GET(self):
                kind = self.path.split('?')[0].strip('/')
                count[kind] = count.get(kind, 0) + 1
                turn, half, start = count[kind], len(served) // 2, self.start()
                if kind == 'plain': return self.send(served, '"a"', start)
                if kind == 'breaks':
                    return self.send(served, '"a"', start, half if turn == 1 else None)
                if kind == 'untagged':
                    return self.send(served, None, start, half if turn == 1 else None)
                if kind == 'changes':
                    if turn == 1: return self.send(served, '"a"', 0, half)
                    same = self.headers.get('If-Range', '"b"') == '"b"'
                    return self.send(other, '"b"', start if same else 0)
                if kind == 'careless':
                    if turn == 1: return self.send(served, '"a"', 0, half)
                    return self.send(other, '"b"', start)
                if kind == 'busy':
                    return self.send_error(503) if turn == 1 else self.send(served, '"a"', start)
                if kind == 'silent': time.sleep(600)
                if kind in ('to-file', 'to-plain'):
                    self.send_response(302)
                    self.send_header('Location', 'file:///etc/passwd' if kind == 'to-file' else '/plain')
                    self.send_header('Content-Length', '0')
                    return self.end_headers()
                if kind == 'log':
                    return self.send(repr(sorted(count.items())).encode(), None)
                self.send_error(404)
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def handle_error(self, *words): pass
        server = Server(('127.0.0.1', 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """
}
