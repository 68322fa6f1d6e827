// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What `errno` says, in words.
func systemError(_ number: Int32 = errno) -> String { String(cString: strerror(number)) }
