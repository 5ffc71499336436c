// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "linux/ccm.h"

namespace ccmctl {

// Where a node listens.
struct Endpoint {
	bool ipv6 = false;
	std::array<std::uint8_t, 16> address{}; // IPv4 in the first four
	std::uint16_t port = CCM_PORT_DEFAULT;
	std::uint32_t scope = 0; // interface of a link-local address, else 0

	bool operator==(const Endpoint &) const = default;
};

// Why text is no address, or "".
std::string address_problem(const std::string &text);

// "10.0.0.1", "2001:db8::1", "fe80::1%eth0". Throws Failure.
Endpoint parse_endpoint(const std::string &text, std::uint16_t port);

// With a port of its own, or without: "10.0.0.1:7500", "[2001:db8::1]:7500".
Endpoint parse_place(const std::string &text, std::uint16_t port);

// Neither none, nor all, nor a group.
bool is_unicast(const Endpoint &endpoint);

std::string address_text(const Endpoint &endpoint);   // "fe80::1"
std::string interface_text(const Endpoint &endpoint); // "eth0"
std::string endpoint_text(const Endpoint &endpoint);  // "[fe80::1%eth0]:7403"

}
