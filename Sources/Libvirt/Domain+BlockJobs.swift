// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// How far a block job is.
public struct BlockJobInfo: Sendable, Hashable {
    /// libvirt's number of the kind of job.
    public let type: Int32
    /// The limit in bytes per second; 0 is none.
    public let bandwidth: UInt64
    /// What is done, in bytes.
    public let current: UInt64
    /// What there is to do, in bytes.
    public let end: UInt64

    /// Both sides are in step: the job waits to be pivoted or ended.
    public var isReady: Bool { end > 0 && current == end }
}

/// The sizes of a disk, in bytes.
public struct BlockInfo: Sendable, Hashable {
    /// What the guest sees.
    public let capacity: UInt64
    /// The highest byte in use in the host's file.
    public let allocation: UInt64
    /// What the file takes on the host.
    public let physical: UInt64
}

/// What went through a disk.
public struct BlockStatistics: Sendable, Hashable {
    /// Requests to read.
    public let readRequests: Int64
    /// Bytes read.
    public let readBytes: Int64
    /// Requests to write.
    public let writeRequests: Int64
    /// Bytes written.
    public let writeBytes: Int64
    /// Errors; -1 if not counted.
    public let errors: Int64
}

extension Domain {
    /// How a block job ends.
    public struct BlockJobAbortFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Do not wait for the end.
        public static let async = Self(VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC)
        /// Switch the guest to the new image.
        public static let pivot = Self(VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)
    }

    /// How images are merged downwards.
    public struct BlockCommitFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Only into the image right below.
        public static let shallow = Self(VIR_DOMAIN_BLOCK_COMMIT_SHALLOW)
        /// Delete the images that were merged.
        public static let delete = Self(VIR_DOMAIN_BLOCK_COMMIT_DELETE)
        /// From the image in use; ends by pivot.
        public static let active = Self(VIR_DOMAIN_BLOCK_COMMIT_ACTIVE)
        /// Keep backing file names relative.
        public static let relative = Self(VIR_DOMAIN_BLOCK_COMMIT_RELATIVE)
        /// The bandwidth is in bytes, not MiB.
        public static let bandwidthBytes = Self(VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES)
    }

    /// How an image is copied elsewhere.
    public struct BlockCopyFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Only the top image.
        public static let shallow = Self(VIR_DOMAIN_BLOCK_COPY_SHALLOW)
        /// The destination exists already.
        public static let reuseExternal = Self(VIR_DOMAIN_BLOCK_COPY_REUSE_EXT)
        /// The job ends with the domain.
        public static let transientJob = Self(VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)
        /// The guest's writes wait for both sides.
        public static let synchronousWrites = Self(VIR_DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES)
    }

    /// The sizes of a disk, by its target or its path.
    /// - Throws: `LibvirtError`.
    public func blockInfo(_ disk: String) async throws -> BlockInfo {
        try await call { raw in
            var info = virDomainBlockInfo()
            try check(virDomainGetBlockInfo(raw, disk, &info, 0))
            return BlockInfo(capacity: info.capacity, allocation: info.allocation, physical: info.physical)
        }
    }

    /// What went through a disk.
    /// - Throws: `LibvirtError`.
    public func blockStatistics(_ disk: String) async throws -> BlockStatistics {
        try await call { raw in
            var stats = virDomainBlockStatsStruct()
            try check(virDomainBlockStats(raw, disk, &stats, MemoryLayout.size(ofValue: stats)))
            return BlockStatistics(
                readRequests: stats.rd_req, readBytes: stats.rd_bytes, writeRequests: stats.wr_req,
                writeBytes: stats.wr_bytes, errors: stats.errs)
        }
    }

    /// Makes a disk of a running guest another size, in bytes.
    /// - Throws: `LibvirtError`.
    public func resizeBlock(_ disk: String, bytes: UInt64) async throws {
        let flags = VIR_DOMAIN_BLOCK_RESIZE_BYTES.rawValue
        try await call { _ = try check(virDomainBlockResize($0, disk, bytes, flags)) }
    }

    /// The job on a disk, or nil if there is none.
    /// - Throws: `LibvirtError`.
    public func blockJob(_ disk: String) async throws -> BlockJobInfo? {
        try await call { raw in
            var info = virDomainBlockJobInfo()
            let flags = VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES.rawValue
            guard try check(virDomainGetBlockJobInfo(raw, disk, &info, flags)) == 1 else { return nil }
            return BlockJobInfo(
                type: info.type, bandwidth: UInt64(info.bandwidth), current: info.cur, end: info.end)
        }
    }

    /// Ends the job on a disk, by giving it up or by pivoting.
    /// - Throws: `LibvirtError`.
    public func abortBlockJob(_ disk: String, _ flags: BlockJobAbortFlags = []) async throws {
        try await call { _ = try check(virDomainBlockJobAbort($0, disk, flags.rawValue)) }
    }

    /// Limits the job on a disk, in bytes per second; 0 is no limit.
    /// - Throws: `LibvirtError`.
    public func setBlockJobSpeed(_ disk: String, bytesPerSecond: UInt) async throws {
        let flags = VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES.rawValue
        try await call { _ = try check(virDomainBlockJobSetSpeed($0, disk, bytesPerSecond, flags)) }
    }

    /// Begins to merge images from `top` down into `base`; nil is the active and the lowest one.
    /// - Throws: `LibvirtError`.
    public func blockCommit(
        _ disk: String, base: String?, top: String?, bandwidth: UInt = 0, _ flags: BlockCommitFlags
    ) async throws {
        try await call { _ = try check(virDomainBlockCommit($0, disk, base, top, bandwidth, flags.rawValue)) }
    }

    /// Begins to pull what lies below into the active image, down to `base`.
    /// - Throws: `LibvirtError`.
    public func blockPull(_ disk: String, base: String? = nil, bytesPerSecond: UInt = 0) async throws {
        let flags = VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES.rawValue
        try await call { _ = try check(virDomainBlockRebase($0, disk, base, bytesPerSecond, flags)) }
    }

    /// Begins to copy a disk to the destination that the `<disk>` XML describes.
    /// - Parameter parameters: `bandwidth` (bytes per second), `granularity`, `buf-size`.
    /// - Throws: `LibvirtError`.
    public func blockCopy(
        _ disk: String, to xml: String, _ parameters: TypedParameters = [:], _ flags: BlockCopyFlags
    ) async throws {
        try await call { raw in
            try parameters.withRaw { values, count in
                _ = try check(virDomainBlockCopy(raw, disk, xml, values, count, flags.rawValue))
            }
        }
    }

    /// Asks for a `blockThreshold` event when a disk's image is written beyond a size.
    /// - Throws: `LibvirtError`.
    public func setBlockThreshold(_ node: String, bytes: UInt64) async throws {
        try await call { _ = try check(virDomainSetBlockThreshold($0, node, bytes, 0)) }
    }
}
