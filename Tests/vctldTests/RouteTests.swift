// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Logging
import Testing
import VctlAPI
import VctlCore

@testable import vctld

@Suite struct RouteTests {
    private let table = RouteTable(Endpoints.all.map { Route($0) { _ in .nothing } })

    @Test func everyEndpointHasExactlyOneHandler() async throws {
        let state = "/tmp/vctld-routes-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: state) }
        let core = try await Core(
            CoreConfiguration(stateDirectory: state, uri: "test:///default", allowedPaths: []),
            logger: Logger(label: "test"))
        let handlers = HandlerTable.all(core, keepAlive: .seconds(15))
        #expect(Set(handlers.handlers.keys) == Set(Endpoints.all.map(\.id)))
        for endpoint in Endpoints.all {
            let body = endpoint.body.flatMap { $0.isBytes ? nil : $0.name }
            #expect(handlers.bodies[endpoint.id] == body, "\(endpoint.id)")
        }
        await core.shutdown()
    }

    @Test func endpointsAreDistinctAndParametersHaveOneName() {
        #expect(Set(Endpoints.all.map(\.id)).count == Endpoints.all.count)
        #expect(Set(Endpoints.all.map { "\($0.method) \($0.path)" }).count == Endpoints.all.count)
        var names: [String: String] = [:]
        for endpoint in Endpoints.all {
            var prefix = ""
            for segment in endpoint.path.split(separator: "/") {
                if segment.hasPrefix("{") {
                    #expect(names.updateValue(String(segment), forKey: prefix) ?? String(segment) == segment)
                }
                prefix += "/\(segment)"
            }
        }
    }

    @Test func findsEveryEndpoint() throws {
        for endpoint in Endpoints.all {
            let path = endpoint.path.split(separator: "/").map { $0.hasPrefix("{") ? "x%20y" : String($0) }
            let match = try table.match(
                try #require(HTTPRequest.Method(endpoint.method.rawValue)),
                "/\(path.joined(separator: "/"))"[...])
            #expect(match.route.endpoint.id == endpoint.id)
            #expect(match.parameters == endpoint.pathParameters.map { _ in "x y" })
        }
    }

    @Test(arguments: [
        "/", "", "/v1", "/v2/vms", "/v1/vms/", "/v1//vms", "/v1/vms/a/b", "/v1/vms/%zz", "*", "/v1/vms/%00",
    ])
    func unknownPaths(_ path: String) {
        let error = #expect(throws: Problem.self) { _ = try table.match(.get, path[...]) }
        #expect(error?.errorCode == .requestPath)
    }

    @Test func aWrongMethodSaysWhichAreRight() {
        let refusal = #expect(throws: Refusal.self) { _ = try table.match(.put, "/v1/vms/x") }
        #expect(refusal?.problem.errorCode == .requestMethod)
        #expect(refusal?.headers[.allow] == "DELETE, GET, HEAD, PATCH")
    }

    @Test func theQueryIsStrict() throws {
        let rules = QueryRules(Endpoints.named("vm.list"))
        let query = try rules.read("label=a=b&label=c=d%2Be&limit=5&state=running&fields=name,id&after=x")
            .list()
        #expect(query.labels == ["a": "b", "c": "d+e"])
        #expect(query.limit == 5)
        #expect(query.fields == ["name", "id"])
        let wrong = "limit=0&limit=x&state=up&fields=nam&colour=red&label=a&after=1&after=2&x=%ff"
        let problem = #expect(throws: Problem.self) { _ = try rules.read(wrong[...]) }
        #expect(
            problem?.errors?.map(\.field) == [
                "limit", "limit", "state", "fields", "colour", "label", "after", "x=%ff",
            ])
        #expect(try QueryRules(Endpoints.named("vm.console.log")).read("follow&tail=0").flag("follow"))
        #expect(WaitTime.seconds("500ms") == 0.5)
        #expect(WaitTime.seconds("2m") == 120)
        #expect(WaitTime.seconds("1d") == nil)
    }

    @Test func entityTags() {
        #expect(EntityTag.list("\"1\", W/\"3\"", names: "\"3\""))
        #expect(EntityTag.list("*", names: "\"3\""))
        #expect(!EntityTag.list("\"33\"", names: "\"3\""))
    }
}
