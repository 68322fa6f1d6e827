// SPDX-License-Identifier: Apache-2.0
import CLibvirt

extension LibvirtError {
    /// The number of an error (`virErrorNumber`); numbers newer than this list are kept as they are.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The number as libvirt gave it.
        public let rawValue: Int32

        /// Any number, known here or not.
        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        init(_ number: virErrorNumber) {
            rawValue = Int32(number.rawValue)
        }
    }
}

extension LibvirtError.Code {
    /// Something inside libvirt failed; only the message says what.
    public static let internalError = Self(VIR_ERR_INTERNAL_ERROR)
    /// Memory ran out.
    public static let noMemory = Self(VIR_ERR_NO_MEMORY)
    /// The driver does not have this call.
    public static let noSupport = Self(VIR_ERR_NO_SUPPORT)
    /// No connection to the hypervisor, or none any more.
    public static let noConnect = Self(VIR_ERR_NO_CONNECT)
    /// The connection handle is not usable.
    public static let invalidConnection = Self(VIR_ERR_INVALID_CONN)
    /// The domain handle is not usable.
    public static let invalidDomain = Self(VIR_ERR_INVALID_DOMAIN)
    /// An argument is not acceptable.
    public static let invalidArgument = Self(VIR_ERR_INVALID_ARG)
    /// An argument is not acceptable (libvirt's own spelling).
    public static let invalidArg = Self(VIR_ERR_INVALID_ARG)
    /// The operation was tried and failed.
    public static let operationFailed = Self(VIR_ERR_OPERATION_FAILED)
    /// Refused, for example on a read-only connection.
    public static let operationDenied = Self(VIR_ERR_OPERATION_DENIED)
    /// Not possible in the present state.
    public static let operationInvalid = Self(VIR_ERR_OPERATION_INVALID)
    /// libvirt gave up waiting, mostly for a lock of the domain.
    public static let operationTimeout = Self(VIR_ERR_OPERATION_TIMEOUT)
    /// The job was aborted.
    public static let operationAborted = Self(VIR_ERR_OPERATION_ABORTED)
    /// The operation does not exist for this object.
    public static let operationUnsupported = Self(VIR_ERR_OPERATION_UNSUPPORTED)
    /// An argument has no meaning here.
    public static let argumentUnsupported = Self(VIR_ERR_ARGUMENT_UNSUPPORTED)
    /// A system call failed; see `systemErrno`.
    public static let systemError = Self(VIR_ERR_SYSTEM_ERROR)
    /// The conversation with the daemon broke.
    public static let rpc = Self(VIR_ERR_RPC)
    /// Authentication failed.
    public static let authFailed = Self(VIR_ERR_AUTH_FAILED)
    /// Authentication was cancelled.
    public static let authCancelled = Self(VIR_ERR_AUTH_CANCELLED)
    /// There is nobody to authenticate with.
    public static let authUnavailable = Self(VIR_ERR_AUTH_UNAVAILABLE)
    /// An access rule forbids it.
    public static let accessDenied = Self(VIR_ERR_ACCESS_DENIED)
    /// The XML says something unacceptable.
    public static let xmlError = Self(VIR_ERR_XML_ERROR)
    /// The XML is not well formed.
    public static let xmlDetail = Self(VIR_ERR_XML_DETAIL)
    /// The XML does not follow libvirt's schema.
    public static let xmlInvalidSchema = Self(VIR_ERR_XML_INVALID_SCHEMA)
    /// A valid configuration that this host cannot run.
    public static let configUnsupported = Self(VIR_ERR_CONFIG_UNSUPPORTED)
    /// A domain with that name or UUID exists, or it runs already.
    public static let domExist = Self(VIR_ERR_DOM_EXIST)
    /// A network with that name or UUID exists.
    public static let networkExist = Self(VIR_ERR_NETWORK_EXIST)
    /// A volume of that name exists.
    public static let storageVolExist = Self(VIR_ERR_STORAGE_VOL_EXIST)
    /// There is no such domain.
    public static let noDomain = Self(VIR_ERR_NO_DOMAIN)
    /// There is no such network.
    public static let noNetwork = Self(VIR_ERR_NO_NETWORK)
    /// There is no such storage pool.
    public static let noStoragePool = Self(VIR_ERR_NO_STORAGE_POOL)
    /// There is no such volume.
    public static let noStorageVol = Self(VIR_ERR_NO_STORAGE_VOL)
    /// There is no such snapshot.
    public static let noDomainSnapshot = Self(VIR_ERR_NO_DOMAIN_SNAPSHOT)
    /// There is no such checkpoint.
    public static let noDomainCheckpoint = Self(VIR_ERR_NO_DOMAIN_CHECKPOINT)
    /// There is no backup job.
    public static let noDomainBackup = Self(VIR_ERR_NO_DOMAIN_BACKUP)
    /// The domain has no metadata of that kind.
    public static let noDomainMetadata = Self(VIR_ERR_NO_DOMAIN_METADATA)
    /// The domain has no such device.
    public static let noDevice = Self(VIR_ERR_DEVICE_MISSING)
    /// The guest agent does not answer.
    public static let agentUnresponsive = Self(VIR_ERR_AGENT_UNRESPONSIVE)
    /// The guest agent answered out of step.
    public static let agentUnsynced = Self(VIR_ERR_AGENT_UNSYNCED)
    /// Something else uses it.
    public static let resourceBusy = Self(VIR_ERR_RESOURCE_BUSY)
    /// A checkpoint's bitmap is missing or broken.
    public static let checkpointInconsistent = Self(VIR_ERR_CHECKPOINT_INCONSISTENT)
    /// The revert needs its force flag.
    public static let snapshotRevertRisky = Self(VIR_ERR_SNAPSHOT_REVERT_RISKY)
    /// Migrated, but not saved on the other side.
    public static let migratePersistFailed = Self(VIR_ERR_MIGRATE_PERSIST_FAILED)
    /// An admin's hook script refused.
    public static let hookScriptFailed = Self(VIR_ERR_HOOK_SCRIPT_FAILED)
    /// There is no such secret.
    public static let noSecret = Self(VIR_ERR_NO_SECRET)
    /// There is no such network filter.
    public static let noNwfilter = Self(VIR_ERR_NO_NWFILTER)
    /// A number does not fit.
    public static let overflow = Self(VIR_ERR_OVERFLOW)
}
