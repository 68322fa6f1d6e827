// SPDX-License-Identifier: Apache-2.0

/// Which files and devices are a pool's, by all that is known of them. Looks at the files.
struct PoolExtent: Sendable {
    private let folders: [String]
    private let volumes: SameFiles

    /// - Parameters:
    ///   - folder: where its volumes are, as libvirt names it.
    ///   - volumes: the paths of those that were seen.
    init(folder: String?, volumes: [String]) {
        // These hold the devices of others as well.
        let isShared = folder.map { Self.shared.contains($0) || $0.isBelow("/dev/disk") } ?? false
        folders = isShared ? [] : [folder, folder.map(RealPath.of)].compactMap(\.self)
        self.volumes = SameFiles(volumes)
    }

    private static let shared: Set = ["/dev", "/dev/", "/dev/disk", "/dev/mapper"]

    /// Names of volumes are often links that lead out of the folder, as those of volume groups do.
    func contains(_ path: String) -> Bool {
        let real = RealPath.of(path)
        return folders.contains { path.isBelow($0) || real.isBelow($0) } || volumes.contains(path)
    }
}
