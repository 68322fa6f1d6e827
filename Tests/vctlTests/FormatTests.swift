// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI
import VctlClient

@testable import vctl

@Suite struct FormatTests {
    @Test func columnsLineUp() {
        let text = Table.text(
            headings: ["NAME", "CPUS"], rows: [["a", "10"], ["日本", "2"]], rightAligned: [false, true])
        #expect(text == "NAME  CPUS\na       10\n日本     2\n")
    }

    @Test func aCellCannotDriveTheTerminal() throws {
        let row = try JSONNode(parsing: Array(#"{"name":"a\u001b[31m\nb"}"#.utf8))
        #expect(Column("name").cell(row) == "a\\u{1b}[31m\\u{a}b")
        #expect(Column("state").cell(row) == "-")
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("a\r\nb", "\"a\r\nb\""),
        ("", ""),
    ])
    func csvQuotes(_ text: String, _ field: String) {
        #expect(CSV.field(text) == field)
    }

    @Test(arguments: [
        ("web1", "web1"), ("true", "\"true\""), ("No", "\"No\""), ("y", "\"y\""), ("null", "\"null\""),
        ("", "\"\""),
        ("12", "\"12\""), ("1e3", "\"1e3\""), ("-", "\"-\""), ("a: b", "\"a: b\""), ("a #b", "\"a #b\""),
        ("/dev/vda", "/dev/vda"), ("two\nlines", "\"two\\nlines\""), ("tab\t\\\"", "\"tab\\t\\\\\\\"\""),
        ("\u{1B}", "\"\\x1B\""), ("\u{2028}", "\"\\u2028\""), ("é", "\"é\""), ("~", "\"~\""),
        ("2026-01-31", "\"2026-01-31\""),
    ])
    func yamlQuotes(_ text: String, _ scalar: String) {
        #expect(YAML.quoted(text) == scalar)
    }

    @Test func yamlNests() throws {
        let node = try JSONNode(
            parsing: Array(#"{"a":[{"b":1,"c":[]},[1,[2]],{}],"d":{"e":{"f":null}},"g":true}"#.utf8))
        let expected = """
            a:
            - b: 1
              c: []
            -
              - 1
              -
                - 2
            - {}
            d:
              e:
                f: null
            g: true

            """
        #expect(YAML.text(node) == expected)
    }

    @Test func anObjectIsShownWhole() throws {
        let text = Record.text(try JSONNode(parsing: Array(vm().utf8)))
        #expect(text.contains("memory:    2 GiB\n"))
        #expect(text.contains("nics:\n  MAC                ADDRESSES\n  52:54:00:00:00:01  192.0.2.7\n"))
        #expect(text.contains("observed:  2026-01-31 08:15:00\n"))
    }

    @Test func aShownObjectBeginsWithItsName() throws {
        let text = Record.text(
            try JSONNode(parsing: Array(#"{"a":1,"state":"x","name":"n"}"#.utf8)), first: ["name", "state"])
        #expect(text == "name:  n\nstate: x\na:     1\n")
    }

    @Test func anErrorIsOneLine() {
        let failure = Failure(message: "a\nb\n", code: "x.y", hint: "c", exit: .failed)
        #expect(failure.lines == ["error: a b (x.y)", "hint: c"])
    }

    @Test func namesAndTitles() {
        #expect(Record.title("virtualSizeBytes") == "virtual size")
        #expect(Record.title("stateReason") == "state reason")
    }

    @Test func onlyKnownColumns() throws {
        #expect(try Noun.vm.chosen("ID,name").map(\.key) == ["id", "name"])
        #expect { try Noun.vm.chosen("colour") } throws: {
            ($0 as? Failure)?.hint?.contains("memoryBytes") == true
        }
        for noun in [Noun.vm, .pool, .volume, .image, .operation, .event, .warning, .audit, .host, .finding] {
            #expect(try noun.chosen(nil).count == noun.usual.count)
        }
    }

    @Test func aListSaysWhoseAgentsDoNotAnswer() throws {
        let column = try #require(try Noun.vm.chosen("agent").first)
        let agent = #"{"agent":{"state":"unresponsive","since":"2026-01-31T08:15:00.250Z"}}"#
        let row = try JSONNode(parsing: Array(agent.utf8))
        #expect(column.cell(row) == "unresponsive" && column.csv(row) == "unresponsive")
        #expect(column.cell(try JSONNode(parsing: Array("{}".utf8))) == "-")
        #expect(try Printer(.vm, .table, columns: "name,agent").fields() == "name,agent")
    }

    /// A guest's root says what it likes.
    @Test func whatAGuestSaysCannotDriveTheTerminal() throws {
        let said = #""\u001b]0;title\u0007 \u009b2J \u202e evil""#
        let guest = #"{"hostname":\#(said),"os":{"name":\#(said)},"fileSystems":[{"mountpoint":\#(said)}]}"#
        let text = Record.text(
            try JSONNode(parsing: Array(#"{"name":"web","guest":\#(guest),"timezone":\#(said)}"#.utf8)))
        #expect(text.ranges(of: #"\u{1b}]0;title\u{7}"#).count == 4, "\(text)")
        let harmful = text.unicodeScalars.filter {
            ($0.value < 0x20 && $0 != "\n") || (0x7F..<0xA0).contains($0.value) || $0.value == 0x202E
        }
        #expect(harmful.isEmpty, "\(text)")
    }

    @Test func aListAsksForWhatItShows() throws {
        #expect(try Printer(.vm, .table).fields() == "name,state,cpus,memoryBytes,nics,image,pending")
        #expect(try Printer(.vm, .name).fields(and: ["name"]) == "name")
        #expect(try Printer(.vm, .json).fields() == nil)
        #expect(try Printer(.vm, .json, columns: "id").fields() == "id")
    }

    @Test func progressInWords() {
        #expect(
            ProgressLine.plain("web1", "downloading", 1 << 29, 1 << 30, true)
                == "web1: downloading 50% 512 MiB/1 GiB")
        #expect(ProgressLine.bar("web1", "x", 1, 2, false) == "web1: x [############............] 50% 1/2")
        #expect(ProgressLine.plain("web1", "defining", 2, nil, false) == "web1: defining")
        #expect(ProgressLine.plain("web1", "x", 9, 3, false) == "web1: x 100% 9/3")
    }

    @Test func agesInWords() {
        #expect(Lists.span(59) == "59s" && Lists.span(200) == "3m 20s" && Lists.span(90_061) == "1d 1h")
    }

    @Test func everyErrorCodeKeepsItsExitCode() {
        for code in ErrorCode.allCases {
            let failure = Failure(Problem(code, "x") as any Error)
            #expect(failure.exit.rawValue == code.exitCode && failure.code == code.rawValue)
        }
    }

    @Test func wrongFieldsAreNamed() {
        let problem = Problem(.requestInvalid, "wrong", errors: [.init("disks[0].sizeBytes", "too small")])
        #expect(Failure(problem as any Error).message == "wrong: disks[0].sizeBytes: too small")
    }
}
