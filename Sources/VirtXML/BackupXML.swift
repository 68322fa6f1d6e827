// SPDX-License-Identifier: Apache-2.0

/// A `<domainbackup>` document.
public struct BackupXML: DocumentView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "domainbackup"
    /// The properties.
    public static let fields = BackupFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `BackupXML`.
public final class BackupFields: Sendable {
    /// `push`, `pull`.
    public let mode = Field<String>("@mode")
    /// The number of the job.
    public let id = Field<Int>("@id")
    /// The checkpoint since which it is.
    public let incremental = Field<String>("incremental")
    /// `unix`, `tcp`: where a pull is served.
    public let serverTransport = Field<String>("server/@transport")
    /// The Unix socket.
    public let serverSocket = Field<String>("server/@socket")
    /// The address, with `tcp`.
    public let serverName = Field<String>("server/@name")
    /// The port, with `tcp`.
    public let serverPort = Field<Int>("server/@port")
    /// The disks.
    public let disks = ListField<BackupDiskXML>("disks/disk")
}

/// A `<disk>` of a backup.
public struct BackupDiskXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "disk"
    /// The properties.
    public static let fields = BackupDiskFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `BackupDiskXML`.
public final class BackupDiskFields: Sendable {
    /// The target: `vda`.
    public let name = Field<String>("@name")
    /// Whether it is in.
    public let backup = Field<Bool>("@backup")
    /// `file`, `block`.
    public let type = Field<String>("@type")
    /// `full`, `incremental`.
    public let backupMode = Field<String>("@backupmode")
    /// The checkpoint since which this disk is.
    public let incremental = Field<String>("@incremental")
    /// The export's name, with `pull`.
    public let exportName = Field<String>("@exportname")
    /// The exported bitmap's name, with `pull`.
    public let exportBitmap = Field<String>("@exportbitmap")
    /// libvirt's number of the image.
    public let index = Field<Int>("@index")
    /// The format of what is written.
    public let driverType = Field<String>("driver/@type")
    /// What is written, with `push`.
    public let targetFile = Field<String>("target/@file")
    /// The device that is written, with `push`.
    public let targetDev = Field<String>("target/@dev")
    /// The scratch file, with `pull`.
    public let scratchFile = Field<String>("scratch/@file")
}
