// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// How much room there is for disks, images and the daemon's own state.
struct SpaceFindings: HostCheck {
    let name = "storage.space"
    let folders: @Sendable () async throws -> [DiskFolder]

    /// What a file system says of itself.
    struct Room: Hashable, Sendable {
        var device: dev_t = 0
        var total: Int64
        /// For others than root.
        var free: Int64
        /// Files that it can hold; 0 where it counts none.
        var files: UInt64 = 0
        var freeFiles: UInt64 = 0

        init(total: Int64, free: Int64, files: UInt64 = 0, freeFiles: UInt64 = 0) {
            (self.total, self.free, self.files, self.freeFiles) = (total, free, files, freeFiles)
        }

        /// `nil` where the folder cannot be asked.
        init?(of folder: String) {
            var status = stat()
            var answer = statvfs()
            guard stat(folder, &status) == 0, statvfs(folder, &answer) == 0 else { return nil }
            let block = UInt64(answer.f_frsize)
            self.init(
                total: Int64(clamping: UInt64(answer.f_blocks) * block),
                free: Int64(clamping: UInt64(answer.f_bavail) * block), files: UInt64(answer.f_files),
                freeFiles: UInt64(answer.f_favail))
            device = status.st_dev
        }
    }

    func notes() async throws -> [Note] {
        let folders = try await folders()
        // What is not there at all is a matter of AccessFindings.
        let rooms = try await Blocking.run {
            folders.filter { access($0.path, F_OK) == 0 }.map { (folder: $0, room: Room(of: $0.path)) }
        }
        var notes: [Note] = []
        var seen: Set<dev_t> = []
        for (folder, room) in rooms {
            // A file system of size 0 is one that does not count.
            guard let room, room.total > 0 else {
                notes.append(
                    .unknown("\(folder.path) (\(folder.what)) cannot be asked", "df -h \(folder.path)"))
                continue
            }
            guard seen.insert(room.device).inserted else { continue }
            let same = rooms.filter { $0.room?.device == room.device }.map(\.folder)
            notes.append(Self.note(room, same))
        }
        return notes
    }

    /// - Parameter folders: those on this file system.
    static func note(_ room: Room, _ folders: [DiskFolder]) -> Note {
        let places = folders.map { "\($0.path) (\($0.what))" }.joined(separator: ", ")
        let amount = "\(ByteCount.human(room.free)) of \(ByteCount.human(room.total)) are free at \(places)"
        let show = "du -xh --max-depth=2 \(folders[0].path) | sort -h | tail"
        if room.files > 0, room.freeFiles < room.files / 50 {
            return .critical("no room for more files: \(room.freeFiles) of \(room.files) at \(places)", show)
        }
        let (mebibyte, gibibyte) = (Int64(1) << 20, Int64(1) << 30)
        if room.free < max(256 * mebibyte, min(room.total / 50, gibibyte)) {
            return .critical("only \(amount): running VMs will soon be paused", show)
        }
        if room.free < max(gibibyte, min(room.total / 10, 20 * gibibyte)) {
            return .warning("only \(amount)", show)
        }
        return .ok(amount)
    }
}
