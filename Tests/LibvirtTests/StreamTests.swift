// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

// A console needs a guest that answers: reading and writing at the same time is tested in the integration
// tests, with a real guest. Here are a local stream, and real files through a real libvirtd.
@Suite struct StreamTests {
    @Test func aScreenshotIsReadToItsEnd() async throws {
        let connection = try await openTest()
        let screenshot = try await connection.domain(name: "test").screenshot()
        var picture: [UInt8] = []
        for try await chunk in screenshot.stream.chunks { picture += chunk }
        try await screenshot.stream.finish()
        #expect(screenshot.mimeType == "image/png")
        #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(picture.suffix(8).starts(with: Array("IEND".utf8)))
    }

    private func withPool(_ body: (PrivateDaemon, StoragePool) async throws -> Void) async throws {
        try await withPrivateDaemon { daemon in
            let connection = try await Connection.open(uri: daemon.storageURI)
            let pool = try await connection.define(
                storagePool: poolXML(name: "real", path: "\(daemon.directory)/data/pool"))
            try await pool.build()
            try await pool.start()
            try await body(daemon, pool)
        }
    }

    private func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    @Test func whatIsUploadedIsDownloaded() async throws {
        try await withPool { _, pool in
            let bytes = self.pattern(5_000_000)
            let volume = try await pool.createVolume(volumeXML(name: "data", bytes: bytes.count))
            let upload = try await volume.upload(length: UInt64(bytes.count))
            try await upload.write(bytes)
            try await upload.finish()
            let path = try await volume.path()
            let file = try #require(FileManager.default.contents(atPath: path))
            #expect(Array(file) == bytes)
            let download = try await volume.download()
            var back: [UInt8] = []
            for try await chunk in download.chunks { back += chunk }
            try await download.finish()
            #expect(back == bytes)
        }
    }

    @Test func aPartIsDownloaded() async throws {
        try await withPool { _, pool in
            let bytes = self.pattern(100_000)
            let volume = try await pool.createVolume(volumeXML(name: "part", bytes: bytes.count))
            let upload = try await volume.upload()
            try await upload.write(bytes)
            try await upload.finish()
            let download = try await volume.download(offset: 1_000, length: 50)
            var back: [UInt8] = []
            while let chunk = try await download.read() { back += chunk }
            try await download.finish()
            #expect(back == Array(bytes[1_000..<1_050]))
        }
    }

    @Test func aLargeVolumeIsReadInParts() async throws {
        try await withPool { _, pool in
            let bytes = self.pattern(3_000_000)
            let volume = try await pool.createVolume(volumeXML(name: "parts", bytes: bytes.count))
            let upload = try await volume.upload()
            try await upload.write(bytes)
            try await upload.finish()
            for part in [100_000, 1_000_000, 3_000_000, 50_000_000] as [UInt64] {
                var back: [UInt8] = []
                for try await chunk in volume.contents(length: 3_000_000, part: part) { back += chunk }
                #expect(back == bytes)
            }
            var middle: [UInt8] = []
            for try await chunk in volume.contents(from: 7, length: 10, part: 3) { middle += chunk }
            #expect(middle == Array(bytes[7..<17]))
            for part in [4, 5] as [UInt64] {
                var rest: [UInt8] = []
                for try await chunk in volume.contents(from: 2_999_990, length: .max, part: part) {
                    rest += chunk
                }
                #expect(rest == Array(bytes[2_999_990...]))
            }
        }
    }

    @Test func aReaderThatIsTooSlowIsToldSo() async throws {
        try await withPool { _, pool in
            let volume = try await pool.createVolume(volumeXML(name: "slow", bytes: 4_000_000))
            let upload = try await volume.upload()
            try await upload.write(self.pattern(4_000_000))
            try await upload.finish()
            let download = try await volume.download(offset: 0, length: 0, limit: 1_000_000)
            // Nothing is read until libvirt brought more than the limit.
            let overflowed = await eventually { download.isOverflowed }
            #expect(overflowed)
            let error = await libvirtError { while try await download.read() != nil {} }
            #expect(error?.code == .overflow)
            #expect(try await volume.info().capacity == 4_000_000)
        }
    }

    @Test func anAbortedOneRefusesMore() async throws {
        try await withPool { _, pool in
            let volume = try await pool.createVolume(volumeXML(name: "abort"))
            let upload = try await volume.upload()
            try await upload.write(self.pattern(1_000))
            await upload.abort()
            #expect(await libvirtError { try await upload.write([1]) }?.code == .operationInvalid)
            #expect(try await upload.read() == nil)
            // The connection lives on.
            #expect(try await volume.info().capacity == 1 << 20)
        }
    }

    @Test func aLostConnectionEndsAReader() async throws {
        try await withPool { daemon, pool in
            let volume = try await pool.createVolume(volumeXML(name: "lost"))
            let upload = try await volume.upload()
            let reader = Task { try await upload.read() }
            await daemon.stop()
            await #expect(throws: LibvirtError.self) { _ = try await reader.value }
        }
    }

    @Test func cancellingAReaderEndsItQuietly() async throws {
        try await withPool { _, pool in
            let volume = try await pool.createVolume(volumeXML(name: "cancel"))
            let upload = try await volume.upload()
            let reader = Task {
                var chunks = 0
                for try await _ in upload.chunks { chunks += 1 }
                return chunks
            }
            reader.cancel()
            #expect(try await reader.value == 0)
            try await upload.write(self.pattern(10))
            try await upload.finish()
        }
    }

    @Test func aDroppedOneIsAborted() async throws {
        try await withPool { _, pool in
            let volume = try await pool.createVolume(volumeXML(name: "drop"))
            for _ in 0..<50 {
                let download = try await volume.download()
                _ = try await download.read()
            }
            #expect(try await volume.info().capacity == 1 << 20)
        }
    }
}
