// SPDX-License-Identifier: Apache-2.0

extension Endpoints {
    static let networks: [Endpoint] =
        [
            list(
                "network.list", "/v1/networks", "All networks, by name", Network.self,
                [.label, .networkState]),
            create("network.create", "/v1/networks", "Make a network", NetworkCreate.self, .admin, [.dryRun]),
            get("network.show", "/v1/networks/{network}", "One network", Network.self),
            call(
                .patch, "network.set", "/v1/networks/{network}", "Change what is given", NetworkPatch.self,
                .operation, Operation.self, [.force, .dryRun], .admin),
            delete(
                "network.delete", "/v1/networks/{network}", "Delete a network", [.force, .dryRun], .admin),
            of("network.start", "start", "Start a network, with its rules before it", Empty.self),
            of("network.stop", "stop", "Stop a network", Empty.self, [.force, .dryRun]),
            of(
                "network.adopt", "adopt", "Take over what another made", NetworkAdopt.self,
                [.force, .dryRun]),
            of("network.release", "release", "Take our mark off", Empty.self),
            call(
                .post, "network.check", "/v1/networks/{network}/actions/check",
                "Send packets from probes on it, and compare with what the model promises", Empty.self,
                .value, NetworkCheck.self, [], .operate),
        ] + parts

    private static let parts: [Endpoint] = [
        part("network.leases", "leases", "The addresses that DHCP has given away", NetworkLease.self),
        part(
            "network.reservation.list", "reservations", "The addresses that DHCP keeps",
            NetworkReservation.self),
        call(
            .post, "network.reservation.add", "/v1/networks/{network}/reservations",
            "Keep an address for a NIC", NetworkReserve.self, .operation, Operation.self,
            [.force, .dryRun], .admin),
        delete(
            "network.reservation.remove", "/v1/networks/{network}/reservations/{reservation}",
            "Keep no address for a VM or MAC, or not this one", [.dryRun], .admin),
        part("network.dns.list", "dns", "The names that were added", NetworkRecord.self),
        call(
            .post, "network.dns.add", "/v1/networks/{network}/dns", "Add a name", NetworkRecord.self,
            .operation, Operation.self, [.dryRun], .admin),
        delete(
            "network.dns.remove", "/v1/networks/{network}/dns/{record}", "Take a name away, or an address",
            [.dryRun], .admin),
        part("network.forward.list", "forwards", "The ports that lead to VMs", NetworkForward.self),
        call(
            .post, "network.forward.add", "/v1/networks/{network}/forwards",
            "Let ports of the host lead to a VM", NetworkForwardCreate.self, .operation, Operation.self,
            [.dryRun], .admin),
        delete(
            "network.forward.remove", "/v1/networks/{network}/forwards/{forward}",
            "Forward ports no more, by id or as tcp:ADDRESS:PORT", [.dryRun], .admin),
    ]

    private static func part<T: Decodable & SendableMetatype>(
        _ id: String, _ path: String, _ summary: String, _ type: T.Type
    ) -> Endpoint {
        call(.get, id, "/v1/networks/{network}/\(path)", summary, nil, .list, type, [.fields], .viewer)
    }

    private static func of<T: Decodable & SendableMetatype>(
        _ id: String, _ verb: String, _ summary: String, _ type: T.Type, _ query: [QueryParameter] = [.dryRun]
    ) -> Endpoint {
        call(
            .post, id, "/v1/networks/{network}/actions/\(verb)", summary, type, .operation, Operation.self,
            query, .admin)
    }
}

extension QueryParameter {
    static let networkState = QueryParameter("state", NetworkState.schema, "only those in this state")
}
