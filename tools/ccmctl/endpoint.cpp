// SPDX-License-Identifier: GPL-2.0
#include "endpoint.hpp"

#include <charconv>

#include <arpa/inet.h>
#include <net/if.h>

#include "failure.hpp"

namespace ccmctl {

namespace {

// "fe80::1%eth0" is two parts; without '%' the second is empty.
struct Parts {
	std::string address;
	std::string interface;
};

Parts split(const std::string &text)
{
	const auto at = text.find('%');
	if (at == std::string::npos)
		return {text, ""};
	return {text.substr(0, at), text.substr(at + 1)};
}

bool read_address(const std::string &text, Endpoint &out)
{
	out.ipv6 = text.find(':') != std::string::npos;
	return inet_pton(out.ipv6 ? AF_INET6 : AF_INET, text.c_str(),
			 out.address.data()) == 1;
}

bool link_local(const Endpoint &endpoint)
{
	return endpoint.ipv6 && endpoint.address[0] == 0xfe &&
	       (endpoint.address[1] & 0xc0) == 0x80;
}

}

std::string address_problem(const std::string &text)
{
	const Parts parts = split(text);
	Endpoint endpoint;

	if (!read_address(parts.address, endpoint))
		return "'" + text + "' is no IPv4 or IPv6 address";
	const bool has_interface = text.find('%') != std::string::npos;
	if (has_interface && !link_local(endpoint))
		return "only a link-local IPv6 address has an interface ('%')";
	if (!has_interface && link_local(endpoint))
		return "a link-local address needs its interface: " + text +
		       "%INTERFACE";
	return "";
}

Endpoint parse_endpoint(const std::string &text, std::uint16_t port)
{
	const std::string problem = address_problem(text);
	if (!problem.empty())
		throw Failure(problem);

	const Parts parts = split(text);
	Endpoint endpoint;
	read_address(parts.address, endpoint);
	endpoint.port = port;
	if (!link_local(endpoint))
		return endpoint;
	endpoint.scope = if_nametoindex(parts.interface.c_str());
	if (endpoint.scope == 0)
		throw Failure("there is no interface '" + parts.interface +
			      "' here; see: ip link");
	return endpoint;
}

namespace {

std::uint16_t read_port(const std::string &text, const std::string &place)
{
	constexpr unsigned int kLast = 65535;
	const char *end = text.data() + text.size();
	unsigned int port = 0;
	const auto [stopped, error] = std::from_chars(text.data(), end, port);

	if (error != std::errc() || stopped != end || port == 0 || port > kLast)
		throw Failure("'" + place + "' has no port, 1 to 65535, " +
			      "behind its last colon");
	return static_cast<std::uint16_t>(port);
}

}

Endpoint parse_place(const std::string &text, std::uint16_t port)
{
	const auto bracket = text.find(']');
	const auto colon = text.rfind(':');

	if (text.starts_with('[') && bracket != std::string::npos) {
		const std::string address = text.substr(1, bracket - 1);
		const std::string rest = text.substr(bracket + 1);
		if (rest.empty())
			return parse_endpoint(address, port);
		return parse_endpoint(address,
				      rest.starts_with(':')
					      ? read_port(rest.substr(1), text)
					      : read_port("", text));
	}
	// With one colon it is IPv4 and a port; with more it is IPv6.
	if (colon == std::string::npos || text.find(':') != colon)
		return parse_endpoint(text, port);
	return parse_endpoint(text.substr(0, colon),
			      read_port(text.substr(colon + 1), text));
}

bool is_unicast(const Endpoint &endpoint)
{
	constexpr std::uint8_t kGroups4 = 224; // and above
	constexpr std::uint8_t kGroups6 = 0xff;
	const std::uint8_t first = endpoint.address[0];

	if (endpoint.ipv6)
		return first != kGroups6 &&
		       endpoint.address != Endpoint().address;
	return first != 0 && first < kGroups4;
}

std::string address_text(const Endpoint &endpoint)
{
	std::array<char, INET6_ADDRSTRLEN> text{};

	inet_ntop(endpoint.ipv6 ? AF_INET6 : AF_INET, endpoint.address.data(),
		  text.data(), text.size());
	return text.data();
}

std::string interface_text(const Endpoint &endpoint)
{
	std::array<char, IF_NAMESIZE> name{};

	if (endpoint.scope == 0)
		return "";
	if (if_indextoname(endpoint.scope, name.data()) != nullptr)
		return name.data();
	return std::to_string(endpoint.scope); // it is gone
}

std::string endpoint_text(const Endpoint &endpoint)
{
	std::string host = address_text(endpoint);

	if (endpoint.scope != 0)
		host += "%" + interface_text(endpoint);
	if (endpoint.ipv6)
		host = "[" + host + "]";
	return host + ":" + std::to_string(endpoint.port);
}

}
