// SPDX-License-Identifier: GPL-2.0
//
// Which member of a cluster this machine is.
#include "cluster.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <ifaddrs.h>
#include <netinet/in.h>

#include "failure.hpp"

namespace ccmctl {

namespace {

std::optional<Endpoint> endpoint_of(const sockaddr *address)
{
	Endpoint endpoint;

	if (address == nullptr)
		return std::nullopt;
	if (address->sa_family == AF_INET) {
		sockaddr_in from{};
		std::memcpy(&from, address, sizeof(from));
		std::memcpy(endpoint.address.data(), &from.sin_addr,
			    sizeof(from.sin_addr));
		return endpoint;
	}
	if (address->sa_family != AF_INET6)
		return std::nullopt;
	sockaddr_in6 from{};
	std::memcpy(&from, address, sizeof(from));
	std::memcpy(endpoint.address.data(), &from.sin6_addr,
		    sizeof(from.sin6_addr));
	endpoint.ipv6 = true;
	if (IN6_IS_ADDR_LINKLOCAL(&from.sin6_addr))
		endpoint.scope = from.sin6_scope_id;
	return endpoint;
}

bool same_machine(const Endpoint &a, Endpoint b)
{
	b.port = a.port;
	return a == b;
}

}

std::vector<Endpoint> own_addresses()
{
	ifaddrs *list = nullptr;
	std::vector<Endpoint> found;

	if (getifaddrs(&list) != 0)
		throw Failure(
			std::string("cannot read this machine's addresses: ") +
			std::strerror(errno));
	const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(
		list, freeifaddrs);
	for (const ifaddrs *at = list; at != nullptr; at = at->ifa_next)
		if (const auto endpoint = endpoint_of(at->ifa_addr))
			found.push_back(*endpoint);
	return found;
}

std::uint32_t find_self(const Cluster &cluster,
			const std::vector<Endpoint> &addresses)
{
	std::uint32_t self = 0;

	for (const Member &member : cluster.members) {
		if (std::none_of(addresses.begin(), addresses.end(),
				 [&](const Endpoint &address) {
					 return same_machine(member.address,
							     address);
				 }))
			continue;
		if (self != 0)
			throw Failure(
				"this machine has the addresses of node " +
				std::to_string(self) + " and of node " +
				std::to_string(member.number) +
				": say which it is with --node N");
		self = member.number;
	}
	if (self == 0)
		throw Failure("this machine has the address of no node in the "
			      "file: add it, or say which it is with --node N");
	return self;
}

}
