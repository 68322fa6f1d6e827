// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Brings verified content to the place where VMs read it: converted where asked, whole or not there at all.
struct ImagePlacement: Sendable {
    let id: ObjectID
    let format: DiskFormat
    let state: StateDirectory

    private var incoming: String { state.incoming(id) }
    private var partial: String { state.partialImage(id, format) }
    private var copy: String { target + ".copy.partial" }
    private var target: String { state.image(id, format) }

    /// Writes the content in the stored format beside its place.
    /// - Throws: ``Problem`` `storage.full`, `image.changed`, `image.corrupt`.
    func convert(
        _ verified: ImageVerification.Verified, _ progress: @Sendable @escaping (Operation.Progress) -> Void
    ) async throws -> Bool {
        try await ImageTools.endEarlier(partial)
        try requireUnchanged(verified)
        try removePartial()
        let needed = try await ImageTools.measure(.init(path: incoming, format: verified.format))
        try FreeSpace.require(needed, at: partial, for: "the converted image")
        do {
            try await QemuImg.convert(
                from: incoming, format: verified.format, to: partial, format: format,
                progress: { percent in
                    let done = Int64(percent / 100 * Double(verified.virtualSize))
                    progress(Operation.Progress(phase: "converting", done: done, total: verified.virtualSize))
                })
        } catch is ToolError where StorageSpace.isFull(at: state.path + "/images") {
            throw FreeSpace.full(partial, "no room for the rest of the converted image")
        }
        try requireUnchanged(verified)
        return true
    }

    /// Renames what is ready into its place. Runs again without harm: what is there already is what was to
    /// come.
    func place(_ verified: ImageVerification.Verified) async throws -> FileStamp {
        if FileStamp(path: target) == nil {
            if FileStamp(path: partial) == nil { try await stage(verified) }
            try await makeLasting(partial)
            try DurableFile.rename(partial, to: target)
        }
        guard let stamp = FileStamp(path: target) else { throw FileFailure(path: target) }
        try ImageDownload(id: id, state: state, limits: ImageLimits()).remove()
        return stamp
    }

    /// Content that needs no conversion: a rename, or a copy where `images/` is another file system.
    private func stage(_ verified: ImageVerification.Verified) async throws {
        try requireUnchanged(verified)
        if Foundation.rename(incoming, partial) == 0 { return }
        guard errno == EXDEV else { throw FileFailure(path: partial) }
        try FreeSpace.require(verified.stamp.size, at: partial, for: "the image")
        // A name of its own: what bears the name of the partial file is whole.
        try await ImageTools.copy(incoming, to: copy)
        try requireUnchanged(verified)
        try DurableFile.rename(copy, to: partial)
    }

    /// QEMU's user reads it, nobody writes it any more, and it outlives a power cut.
    private func makeLasting(_ path: String) async throws {
        try await Blocking.run {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { throw FileFailure(path: path) }
            defer { Foundation.close(descriptor) }
            guard fchmod(descriptor, 0o644) == 0, fsync(descriptor) == 0 else {
                throw FileFailure(path: path)
            }
        }
    }

    private func requireUnchanged(_ verified: ImageVerification.Verified) throws {
        guard verified.stamp.isSame(as: FileStamp(path: incoming)) else {
            throw Problem(
                .imageChanged, "the content changed after it was looked at", hint: "import it again")
        }
    }

    func removePartial() throws {
        for file in [partial, copy] { try DurableFile.remove(file) }
    }

    func removePlaced() throws {
        try removePartial()
        try DurableFile.remove(target)
    }
}
