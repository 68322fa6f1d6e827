// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import Glibc

/// One value of libvirt's typed parameters.
public enum TypedValue: Sendable, Hashable {
    /// A signed 32-bit number.
    case int(Int32)
    /// An unsigned 32-bit number.
    case uint(UInt32)
    /// A signed 64-bit number.
    case long(Int64)
    /// An unsigned 64-bit number.
    case ulong(UInt64)
    /// A floating-point number.
    case double(Double)
    /// A truth value.
    case boolean(Bool)
    /// A text.
    case string(String)

    /// The value as a whole number, if it is one that fits.
    public var integer: Int64? {
        switch self {
        case .int(let value): Int64(value)
        case .uint(let value): Int64(value)
        case .long(let value): value
        case .ulong(let value): Int64(exactly: value)
        case .double, .boolean, .string: nil
        }
    }

    /// The value as an unsigned whole number, if it is one that fits.
    public var unsigned: UInt64? {
        if case .ulong(let value) = self { return value }
        return integer.flatMap { UInt64(exactly: $0) }
    }

    /// The text, if it is one.
    public var text: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The truth value, if it is one.
    public var flag: Bool? {
        if case .boolean(let value) = self { value } else { nil }
    }
}

/// libvirt's typed parameters by name; keys such as `block.0.rd.bytes` stay as they are.
public typealias TypedParameters = [String: TypedValue]

extension TypedValue {
    init?(_ parameter: virTypedParameter) {
        switch UInt32(bitPattern: parameter.type) {
        case VIR_TYPED_PARAM_INT.rawValue: self = .int(parameter.value.i)
        case VIR_TYPED_PARAM_UINT.rawValue: self = .uint(parameter.value.ui)
        case VIR_TYPED_PARAM_LLONG.rawValue: self = .long(parameter.value.l)
        case VIR_TYPED_PARAM_ULLONG.rawValue: self = .ulong(parameter.value.ul)
        case VIR_TYPED_PARAM_DOUBLE.rawValue: self = .double(parameter.value.d)
        case VIR_TYPED_PARAM_BOOLEAN.rawValue: self = .boolean(parameter.value.b != 0)
        case VIR_TYPED_PARAM_STRING.rawValue:
            guard let text = parameter.value.s else { return nil }
            self = .string(String(cString: text))
        default: return nil
        }
    }
}

extension TypedParameters {
    init(copying parameters: UnsafePointer<virTypedParameter>?, count: Int) {
        self.init()
        guard let parameters else { return }
        for parameter in UnsafeBufferPointer(start: parameters, count: count) {
            self[parameter.fieldName] = TypedValue(parameter)
        }
    }

    /// Takes over parameters that libvirt allocated.
    init(taking parameters: UnsafeMutablePointer<virTypedParameter>?, count: Int32) {
        self.init(copying: parameters, count: Int(count))
        virTypedParamsFree(parameters, count)
    }

    /// Lends the parameters to a libvirt call.
    func withRaw<T>(_ body: (UnsafeMutablePointer<virTypedParameter>?, Int32) throws -> T) throws -> T {
        EventLoop.start()
        var raw: UnsafeMutablePointer<virTypedParameter>?
        var count: Int32 = 0
        var capacity: Int32 = 0
        defer { virTypedParamsFree(raw, count) }
        for (name, value) in self.sorted(by: { $0.key < $1.key }) {
            try check(value.add(as: name, to: &raw, &count, &capacity))
        }
        return try body(raw, count)
    }
}

extension TypedValue {
    fileprivate func add(
        as name: String, to raw: inout UnsafeMutablePointer<virTypedParameter>?,
        _ count: inout Int32, _ capacity: inout Int32
    ) -> Int32 {
        switch self {
        case .int(let value): virTypedParamsAddInt(&raw, &count, &capacity, name, value)
        case .uint(let value): virTypedParamsAddUInt(&raw, &count, &capacity, name, value)
        case .long(let value): virTypedParamsAddLLong(&raw, &count, &capacity, name, value)
        case .ulong(let value): virTypedParamsAddULLong(&raw, &count, &capacity, name, value)
        case .double(let value): virTypedParamsAddDouble(&raw, &count, &capacity, name, value)
        case .boolean(let value): virTypedParamsAddBoolean(&raw, &count, &capacity, name, value ? 1 : 0)
        case .string(let value): virTypedParamsAddString(&raw, &count, &capacity, name, value)
        }
    }
}

extension virTypedParameter {
    fileprivate var fieldName: String { textOf(field) }
}
