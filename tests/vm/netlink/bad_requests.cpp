// SPDX-License-Identifier: GPL-2.0
// What the netlink family "ccm" refuses, and how. It runs in a guest:
//
//	bad_requests unconfigured	on a node without a number
//	bad_requests configured		on node 1, over IPv4, whose peer is node 2
//	bad_requests nobody		started by root; what others may do
//	bad_requests userns		in a user and network namespace of its own
//
// Prints a line "ok NAME" or "not ok NAME" a case, that with the reason before
// it; the status is not 0 if one failed.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <linux/netlink.h>
#include <netlink/genl/genl.h>
#include <unistd.h>

#include "linux/ccm.h"
#include "netlink.hpp"

using ccmctl::Connection;
using ccmctl::Failure;
using ccmctl::Refused;
using ccmctl::Request;

namespace {

// The kernel's netlink code speaks for itself, in words that differ from
// version to version.
constexpr const char *kAnyWords = "";
// It leaves it at the errno.
constexpr const char *kNoWords = nullptr;

struct Answer {
	int error;	   // positive errno; 0: not refused
	const char *words; // are part of the sentence that comes along
};

struct Case {
	const char *name;
	int command;
	void (*fill)(Request &request);
	Answer answer;
	int flags = 0;
};

// --- what requests are made of ---------------------------------------------------

constexpr std::array<std::uint8_t, 4> kIpv4{10, 77, 0, 9};
constexpr std::array<std::uint8_t, 16> kIpv6{0xfd, 0x77, 0, 0, 0, 0, 0, 0,
					     0,	   0,	 0, 0, 0, 0, 0, 9};
constexpr std::array<std::uint8_t, 16> kLinkLocal{0xfe, 0x80, 0, 0, 0, 0, 0, 0,
						  0,	0,    0, 0, 0, 0, 0, 9};
constexpr std::array<std::uint8_t, 16> kMapped{0, 0, 0,	   0,	 0,  0,	 0, 0,
					       0, 0, 0xff, 0xff, 10, 77, 0, 9};
constexpr int kUnknown = 20; // an attribute that no set has

// Numbers of nodes, peers and consumers.
static_assert(int{CCM_A_NODE_NUMBER} == int{CCM_A_PEER_NUMBER});
static_assert(int{CCM_A_NODE_NUMBER} == int{CCM_A_CONSUMER_MODULE});

void nothing(Request &)
{
}

template <std::uint32_t value> void number(Request &r)
{
	r.put_u32(CCM_A_PEER_NUMBER, value);
}

void short_number(Request &r)
{
	r.put_u16(CCM_A_PEER_NUMBER, 2);
}

// These bytes behind everything else, whatever they mean.
void put_raw(Request &r, std::span<const std::uint8_t> bytes)
{
	nlmsg_append(r.get(), const_cast<std::uint8_t *>(bytes.data()),
		     bytes.size(), 0);
}

void attribute_longer_than_request(Request &r)
{
	put_raw(r, std::array<std::uint8_t, 8>{200, 0, CCM_A_PEER_NUMBER, 0, 2,
					       0, 0, 0});
}

void attribute_shorter_than_its_head(Request &r)
{
	number<2>(r);
	put_raw(r, std::array<std::uint8_t, 4>{1, 0, CCM_A_PEER_NUMBER, 0});
}

void bytes_left_over(Request &r)
{
	number<2>(r);
	put_raw(r, std::array<std::uint8_t, 3>{1, 2, 3});
}

// Not even the head that generic netlink begins with.
void no_head(Request &r)
{
	nlmsg_hdr(r.get())->nlmsg_len = NLMSG_HDRLEN;
}

// Request of a command that wants a number and an endpoint.
template <std::uint32_t value = 9> void endpoint(Request &r, auto inside)
{
	int type = CCM_A_PEER_REMOTE;

	if (genlmsg_hdr(nlmsg_hdr(r.get()))->cmd == CCM_CMD_NODE_SET)
		type = CCM_A_NODE_LOCAL;
	number<value>(r);
	r.put_nest(type, [&] { inside(r); });
}

void ipv4(Request &r)
{
	r.put_bytes(CCM_A_ENDPOINT_IPV4, kIpv4);
}

template <std::uint32_t value> void number_and_ipv4(Request &r)
{
	endpoint<value>(r, ipv4);
}

void number_and_ipv6(Request &r)
{
	endpoint(r,
		 [](Request &e) { e.put_bytes(CCM_A_ENDPOINT_IPV6, kIpv6); });
}

void empty_endpoint(Request &r)
{
	number<9>(r);
	r.put_bytes(CCM_A_PEER_REMOTE | NLA_F_NESTED, {});
}

void flat_endpoint(Request &r)
{
	number<9>(r);
	r.put_u32(CCM_A_PEER_REMOTE, 2);
}

template <std::uint32_t value> void timeout(Request &r)
{
	endpoint(r, ipv4);
	r.put_u32(CCM_A_PEER_TIMEOUT, value);
}

template <std::uint32_t value> void interval(Request &r)
{
	number<2>(r);
	r.put_u32(CCM_A_PEER_INTERVAL, value);
}

template <std::uint32_t value> void limit(Request &r)
{
	number<2>(r);
	r.put_u32(CCM_A_PEER_LIMIT, value);
}

void insecure(Request &r)
{
	r.put_bytes(CCM_A_NODE_INSECURE, {});
}

void key_of_nobody(Request &r)
{
	r.put_string(CCM_A_NODE_KEY, "ccm:none that is there");
}

// --- the cases -------------------------------------------------------------------

// On any node.
const std::vector<Case> kAlways{
	{"request__without_head",
	 CCM_CMD_NODE_GET,
	 no_head,
	 {EINVAL, kNoWords}},
	{"request__unknown_command", 99, nothing, {EOPNOTSUPP, kNoWords}},
	{"request__command_of_events",
	 CCM_CMD_EVENT,
	 nothing,
	 {EOPNOTSUPP, kNoWords}},
	{"request__attribute_longer_than_it",
	 CCM_CMD_CONNECT,
	 attribute_longer_than_request,
	 {EINVAL, kAnyWords}},
	{"request__attribute_shorter_than_its_head",
	 CCM_CMD_CONNECT,
	 attribute_shorter_than_its_head,
	 {EINVAL, kAnyWords}},
	{"request__bytes_left_over",
	 CCM_CMD_CONNECT,
	 bytes_left_over,
	 {EINVAL, kAnyWords}},

	{"node_get__as_dump",
	 CCM_CMD_NODE_GET,
	 nothing,
	 {EOPNOTSUPP, kNoWords},
	 NLM_F_DUMP},
	{"node_get__with_padding",
	 CCM_CMD_NODE_GET,
	 [](Request &r) { r.put_u32(CCM_A_NODE_PAD, 1); },
	 {EINVAL, kAnyWords}},
	{"node_get__with_number",
	 CCM_CMD_NODE_GET,
	 number<1>,
	 {EINVAL, kAnyWords}},

	{"node_set__nothing", CCM_CMD_NODE_SET, nothing, {EINVAL, "number"}},
	{"node_set__no_address",
	 CCM_CMD_NODE_SET,
	 number<1>,
	 {EINVAL, "address"}},
	{"node_set__number_0",
	 CCM_CMD_NODE_SET,
	 number_and_ipv4<0>,
	 {ERANGE, kAnyWords}},
	{"node_set__number_too_large",
	 CCM_CMD_NODE_SET,
	 number_and_ipv4<CCM_NODE_MAX + 1>,
	 {ERANGE, kAnyWords}},
	{"node_set__number_largest_there_is",
	 CCM_CMD_NODE_SET,
	 number_and_ipv4<~0u>,
	 {ERANGE, kAnyWords}},
	{"node_set__number_of_two_bytes",
	 CCM_CMD_NODE_SET,
	 short_number,
	 {EINVAL, kAnyWords}},
	{"node_set__cluster_too_long",
	 CCM_CMD_NODE_SET,
	 [](Request &r) {
		 endpoint(r, ipv4);
		 r.put_string(CCM_A_NODE_CLUSTER,
			      std::string(CCM_CLUSTER_MAX + 1, 'x'));
	 },
	 {EINVAL, kAnyWords}},
	{"node_set__cluster_without_end",
	 CCM_CMD_NODE_SET,
	 [](Request &r) {
		 constexpr std::array<std::uint8_t, 3> kName{'a', 'b', 'c'};

		 endpoint(r, ipv4);
		 r.put_bytes(CCM_A_NODE_CLUSTER, kName);
	 },
	 {EINVAL, kAnyWords}},

	{"peer_add__nothing", CCM_CMD_PEER_ADD, nothing, {EINVAL, "number"}},
	{"peer_add__no_address",
	 CCM_CMD_PEER_ADD,
	 number<9>,
	 {EINVAL, "address"}},
	{"peer_add__number_0",
	 CCM_CMD_PEER_ADD,
	 number_and_ipv4<0>,
	 {ERANGE, kAnyWords}},
	{"peer_add__number_too_large",
	 CCM_CMD_PEER_ADD,
	 number_and_ipv4<CCM_NODE_MAX + 1>,
	 {ERANGE, kAnyWords}},
	{"peer_add__address_not_nested",
	 CCM_CMD_PEER_ADD,
	 flat_endpoint,
	 {EINVAL, kAnyWords}},
	{"peer_add__address_empty",
	 CCM_CMD_PEER_ADD,
	 empty_endpoint,
	 {EINVAL, "one address"}},
	{"peer_add__both_addresses",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 ipv4(e);
			 e.put_bytes(CCM_A_ENDPOINT_IPV6, kIpv6);
		 });
	 },
	 {EINVAL, "one address"}},
	{"peer_add__ipv4_too_long",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 e.put_bytes(CCM_A_ENDPOINT_IPV4, kIpv6);
		 });
	 },
	 {ERANGE, kAnyWords}},
	{"peer_add__ipv6_too_short",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 e.put_bytes(CCM_A_ENDPOINT_IPV6, kIpv4);
		 });
	 },
	 {ERANGE, kAnyWords}},
	{"peer_add__ipv4_within_ipv6",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 e.put_bytes(CCM_A_ENDPOINT_IPV6, kMapped);
		 });
	 },
	 {EINVAL, "IPv4"}},
	{"peer_add__link_local_without_interface",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 e.put_bytes(CCM_A_ENDPOINT_IPV6, kLinkLocal);
		 });
	 },
	 {EINVAL, "interface"}},
	{"peer_add__interface_0",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 e.put_bytes(CCM_A_ENDPOINT_IPV6, kLinkLocal);
			 e.put_u32(CCM_A_ENDPOINT_SCOPE, 0);
		 });
	 },
	 {ERANGE, kAnyWords}},
	{"peer_add__interface_of_a_global_address",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 e.put_bytes(CCM_A_ENDPOINT_IPV6, kIpv6);
			 e.put_u32(CCM_A_ENDPOINT_SCOPE, 1);
		 });
	 },
	 {EINVAL, "interface"}},
	{"peer_add__interface_of_ipv4",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 ipv4(e);
			 e.put_u32(CCM_A_ENDPOINT_SCOPE, 1);
		 });
	 },
	 {EINVAL, "interface"}},
	{"peer_add__port_0",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 ipv4(e);
			 e.put_u16(CCM_A_ENDPOINT_PORT, 0);
		 });
	 },
	 {ERANGE, kAnyWords}},
	{"peer_add__unknown_attribute",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, ipv4);
		 r.put_u32(kUnknown, 1);
	 },
	 {EINVAL, kAnyWords}},
	{"peer_add__unknown_attribute_of_the_address",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, [](Request &e) {
			 ipv4(e);
			 e.put_u32(kUnknown, 1);
		 });
	 },
	 {EINVAL, kAnyWords}},
	{"peer_add__state",
	 CCM_CMD_PEER_ADD,
	 [](Request &r) {
		 endpoint(r, ipv4);
		 r.put_u32(CCM_A_PEER_STATE, CCM_STATE_UP);
	 },
	 {EINVAL, kAnyWords}},
	{"peer_add__timeout_too_short",
	 CCM_CMD_PEER_ADD,
	 timeout<CCM_TIMEOUT_MIN - 1>,
	 {ERANGE, kAnyWords}},
	{"peer_add__timeout_too_long",
	 CCM_CMD_PEER_ADD,
	 timeout<CCM_TIMEOUT_MAX + 1>,
	 {EINVAL, "hour"}},

	{"key_set__nothing", CCM_CMD_KEY_SET, nothing, {EINVAL, "insecure"}},
	{"key_set__both",
	 CCM_CMD_KEY_SET,
	 [](Request &r) {
		 key_of_nobody(r);
		 insecure(r);
	 },
	 {EINVAL, "insecure"}},
	{"key_set__none_of_this_description",
	 CCM_CMD_KEY_SET,
	 key_of_nobody,
	 {ENOKEY, "keyrings"}},
	{"key_set__description_too_long",
	 CCM_CMD_KEY_SET,
	 [](Request &r) {
		 r.put_string(CCM_A_NODE_KEY,
			      std::string(CCM_KEY_NAME_MAX + 1, 'x'));
	 },
	 {EINVAL, kAnyWords}},
	{"key_set__insecure_is_a_flag",
	 CCM_CMD_KEY_SET,
	 [](Request &r) { r.put_u32(CCM_A_NODE_INSECURE, 1); },
	 {ERANGE, kAnyWords}},

	{"peer_set__nothing", CCM_CMD_PEER_SET, nothing, {EINVAL, "number"}},
	{"peer_set__address",
	 CCM_CMD_PEER_SET,
	 number_and_ipv4<2>,
	 {EINVAL, kAnyWords}},
	{"peer_set__interval_too_short",
	 CCM_CMD_PEER_SET,
	 interval<CCM_INTERVAL_MIN - 1>,
	 {EINVAL, "interval"}},
	{"peer_set__interval_too_long",
	 CCM_CMD_PEER_SET,
	 interval<CCM_TIMEOUT_MAX + 1>,
	 {EINVAL, "hour"}},
	{"peer_set__limit_too_low",
	 CCM_CMD_PEER_SET,
	 limit<CCM_LIMIT_MIN - 1>,
	 {ERANGE, kAnyWords}},
	{"peer_set__limit_too_high",
	 CCM_CMD_PEER_SET,
	 limit<CCM_LIMIT_MAX + 1>,
	 {ERANGE, kAnyWords}},

	{"ping__nothing", CCM_CMD_PING, nothing, {EINVAL, "number"}},
	{"ping__number_0", CCM_CMD_PING, number<0>, {ERANGE, kAnyWords}},
	{"poke__nothing", CCM_CMD_POKE, nothing, {EINVAL, "number"}},
	{"poke__number_0", CCM_CMD_POKE, number<0>, {ERANGE, kAnyWords}},

	{"peer_get__nothing", CCM_CMD_PEER_GET, nothing, {EINVAL, "number"}},
	{"peer_get__number_0",
	 CCM_CMD_PEER_GET,
	 number<0>,
	 {ERANGE, kAnyWords}},
	{"peer_get__unknown_peer",
	 CCM_CMD_PEER_GET,
	 number<999>,
	 {ENODEV, "no such peer"}},
	{"peer_delete__nothing",
	 CCM_CMD_PEER_DELETE,
	 nothing,
	 {EINVAL, "number"}},
	{"peer_delete__number_0",
	 CCM_CMD_PEER_DELETE,
	 number<0>,
	 {ERANGE, kAnyWords}},
	{"peer_delete__unknown_peer",
	 CCM_CMD_PEER_DELETE,
	 number<999>,
	 {ENODEV, "no such peer"}},
	{"connect__nothing", CCM_CMD_CONNECT, nothing, {EINVAL, "number"}},
	{"connect__number_0", CCM_CMD_CONNECT, number<0>, {ERANGE, kAnyWords}},
	{"connect__number_of_two_bytes",
	 CCM_CMD_CONNECT,
	 short_number,
	 {EINVAL, kAnyWords}},
	{"listen__nothing", CCM_CMD_LISTEN, nothing, {EINVAL, "number"}},
	{"listen__number_0", CCM_CMD_LISTEN, number<0>, {ERANGE, kAnyWords}},
	{"close__nothing", CCM_CMD_CLOSE, nothing, {EINVAL, "number"}},
	{"close__number_0", CCM_CMD_CLOSE, number<0>, {ERANGE, kAnyWords}},
	{"consumer_get__nothing",
	 CCM_CMD_CONSUMER_GET,
	 nothing,
	 {EINVAL, "number"}},
	{"consumer_get__number_0",
	 CCM_CMD_CONSUMER_GET,
	 number<0>,
	 {ERANGE, kAnyWords}},
	{"consumer_get__nobody_attached",
	 CCM_CMD_CONSUMER_GET,
	 number<999>,
	 {ENOENT, "no consumer"}},
};

const std::vector<Case> kUnconfigured{
	{"node_set__without_key",
	 CCM_CMD_NODE_SET,
	 number_and_ipv4<1>,
	 {ENOKEY, "insecure"}},
	{"key_set__insecure", CCM_CMD_KEY_SET, insecure, {0, kNoWords}},
	{"node_set__address_not_of_this_node",
	 CCM_CMD_NODE_SET,
	 number_and_ipv4<1>,
	 {EADDRNOTAVAIL, "address"}},
	{"node_delete",
	 CCM_CMD_NODE_DELETE,
	 nothing,
	 {ENOTCONN, "not configured"}},
	{"peer_add",
	 CCM_CMD_PEER_ADD,
	 number_and_ipv4<9>,
	 {ENOTCONN, "configure"}},
	{"connect", CCM_CMD_CONNECT, number<2>, {ENOTCONN, "configure"}},
	{"listen", CCM_CMD_LISTEN, number<2>, {ENOTCONN, "configure"}},
	{"close", CCM_CMD_CLOSE, number<2>, {ENOTCONN, "configure"}},
	{"peer_set", CCM_CMD_PEER_SET, limit<3>, {ENOTCONN, "configure"}},
	{"ping", CCM_CMD_PING, number<2>, {ENOTCONN, "configure"}},
	{"poke", CCM_CMD_POKE, number<2>, {ENOTCONN, "configure"}},
};

const std::vector<Case> kConfigured{
	{"node_set__again",
	 CCM_CMD_NODE_SET,
	 number_and_ipv4<1>,
	 {EBUSY, "delete it first"}},
	{"peer_add__again",
	 CCM_CMD_PEER_ADD,
	 number_and_ipv4<2>,
	 {EEXIST, "delete it first"}},
	{"peer_add__own_number",
	 CCM_CMD_PEER_ADD,
	 number_and_ipv4<1>,
	 {EINVAL, "own number"}},
	{"peer_add__other_family",
	 CCM_CMD_PEER_ADD,
	 number_and_ipv6,
	 {EINVAL, "other IP version"}},
	{"peer_delete__itself",
	 CCM_CMD_PEER_DELETE,
	 number<1>,
	 {EINVAL, "node itself"}},
	{"connect__unknown_peer",
	 CCM_CMD_CONNECT,
	 number<999>,
	 {ENODEV, "add it first"}},
	{"connect__itself",
	 CCM_CMD_CONNECT,
	 number<1>,
	 {EINVAL, "node itself"}},
	{"listen__unknown_peer",
	 CCM_CMD_LISTEN,
	 number<999>,
	 {ENODEV, "add it first"}},
	{"listen__the_lower_number",
	 CCM_CMD_LISTEN,
	 number<2>,
	 {EINVAL, "higher number listens"}},
	{"close__unknown_peer",
	 CCM_CMD_CLOSE,
	 number<999>,
	 {ENODEV, "add it first"}},
	{"close__itself", CCM_CMD_CLOSE, number<1>, {EINVAL, "node itself"}},
	{"ping__itself", CCM_CMD_PING, number<1>, {EINVAL, "node itself"}},
	{"ping__unknown_peer",
	 CCM_CMD_PING,
	 number<999>,
	 {ENODEV, "add it first"}},
	{"poke__the_higher_number",
	 CCM_CMD_POKE,
	 number<2>,
	 {EINVAL, "lower number connects"}},
	{"poke__itself", CCM_CMD_POKE, number<1>, {EINVAL, "node itself"}},
};

// Everybody may look, but at what others call; and only an administrator change.
const std::vector<Case> kNobody{
	{"node_get", CCM_CMD_NODE_GET, nothing, {0, kNoWords}},
	{"peer_get", CCM_CMD_PEER_GET, number<2>, {0, kNoWords}},
	{"peer_dump", CCM_CMD_PEER_GET, nothing, {0, kNoWords}, NLM_F_DUMP},
	{"consumer_dump",
	 CCM_CMD_CONSUMER_GET,
	 nothing,
	 {0, kNoWords},
	 NLM_F_DUMP},
	{"handler_dump",
	 CCM_CMD_HANDLER_GET,
	 nothing,
	 {EPERM, kNoWords},
	 NLM_F_DUMP},
	{"call_dump", CCM_CMD_CALL_GET, nothing, {EPERM, kNoWords}, NLM_F_DUMP},
	{"node_set", CCM_CMD_NODE_SET, number_and_ipv4<1>, {EPERM, kNoWords}},
	{"node_delete", CCM_CMD_NODE_DELETE, nothing, {EPERM, kNoWords}},
	{"peer_add", CCM_CMD_PEER_ADD, number_and_ipv4<9>, {EPERM, kNoWords}},
	{"peer_delete", CCM_CMD_PEER_DELETE, number<2>, {EPERM, kNoWords}},
	{"connect", CCM_CMD_CONNECT, number<2>, {EPERM, kNoWords}},
	{"listen", CCM_CMD_LISTEN, number<2>, {EPERM, kNoWords}},
	{"close", CCM_CMD_CLOSE, number<2>, {EPERM, kNoWords}},
	{"key_set", CCM_CMD_KEY_SET, insecure, {EPERM, kNoWords}},
	{"manage", CCM_CMD_MANAGE, nothing, {EPERM, kNoWords}},
	{"peer_set", CCM_CMD_PEER_SET, limit<3>, {EPERM, kNoWords}},
	{"ping", CCM_CMD_PING, number<2>, {EPERM, kNoWords}},
	{"poke", CCM_CMD_POKE, number<2>, {EPERM, kNoWords}},
};

const std::vector<Case> kUserns{
	{"node_get", CCM_CMD_NODE_GET, nothing, {0, kNoWords}},
	{"peer_dump", CCM_CMD_PEER_GET, nothing, {0, kNoWords}, NLM_F_DUMP},
	{"handler_dump",
	 CCM_CMD_HANDLER_GET,
	 nothing,
	 {0, kNoWords},
	 NLM_F_DUMP},
	{"call_dump", CCM_CMD_CALL_GET, nothing, {0, kNoWords}, NLM_F_DUMP},
	{"node_set", CCM_CMD_NODE_SET, number_and_ipv4<1>, {EPERM, "userns"}},
	{"peer_add",
	 CCM_CMD_PEER_ADD,
	 number_and_ipv4<9>,
	 {ENOTCONN, "configure"}},
};

// --- running them ----------------------------------------------------------------

struct Outcome {
	int error = 0;
	std::string words; // "" if the errno says it all
};

// Every refusal begins with this, then comes a colon.
constexpr const char *kWhat = "refused";

// What is not the kernel's own words is what ccmctl makes of the errno.
bool is_made_up(int error, const std::string &text)
{
	return error == EPERM ? text.find("CAP_NET_ADMIN") != text.npos
			      : text == std::strerror(error);
}

class Tester {
public:
	Tester() : family_(connection_.family(CCM_FAMILY_NAME))
	{
	}

	void run(const std::vector<Case> &cases)
	{
		for (const Case &one : cases)
			say(one.name, problem_of(one.answer, outcome_of(one)));
	}
	// The group of events is closed to those without the right.
	void run_subscribe()
	{
		try {
			ccmctl::Listener(connection_.group(CCM_FAMILY_NAME,
							   CCM_MCGRP_EVENTS));
			say("subscribe", "not refused");
		} catch (const Failure &refused) {
			say("subscribe", is_made_up(EPERM, refused.what())
						 ? ""
						 : refused.what());
		}
	}
	// One manager at a time, as long as its socket is open.
	void run_manage()
	{
		const Case second{"manage__second",
				  CCM_CMD_MANAGE,
				  nothing,
				  {EBUSY, "a manager already"}};
		const Case next{
			"manage__next", CCM_CMD_MANAGE, nothing, {0, kNoWords}};
		{
			Connection first;

			for (const char *name :
			     {"manage__first", "manage__first_once_more"}) {
				Request request(family_, CCM_FAMILY_VERSION,
						CCM_CMD_MANAGE);
				say(name,
				    problem_of({0, kNoWords},
					       outcome_of(first, request)));
			}
			run({second});
		}
		run({next});
	}
	// All that was refused has changed nothing.
	void run_unchanged(std::uint64_t before)
	{
		say("nothing_has_changed",
		    generation() == before ? "" : "the generation is another");
	}
	std::uint64_t generation()
	{
		Request request(family_, CCM_FAMILY_VERSION, CCM_CMD_NODE_GET);
		auto answer = connection_.ask(request, kWhat);

		return ccmctl::Attributes(answer.at(0).get())
			.u64(CCM_A_NODE_GENERATION);
	}
	bool failed() const
	{
		return failed_;
	}

private:
	Outcome outcome_of(const Case &one)
	{
		// One each: what is wrong with one must not be in the next's way.
		Connection connection;
		Request request(family_, CCM_FAMILY_VERSION, one.command,
				one.flags);

		one.fill(request);
		return outcome_of(connection, request);
	}
	static Outcome outcome_of(Connection &connection, Request &request)
	{
		try {
			(void)connection.ask(request, kWhat);
			return {};
		} catch (const Refused &refused) {
			std::string text = refused.what();

			text.erase(0, std::strlen(kWhat) + 2);
			return {refused.error(),
				is_made_up(refused.error(), text) ? "" : text};
		}
	}
	static std::string problem_of(const Answer &expected,
				      const Outcome &outcome)
	{
		const std::string said = std::strerror(outcome.error) +
					 (" (" + outcome.words + ")");

		if (outcome.error != expected.error)
			return std::string("expected ") +
			       std::strerror(expected.error) + ", is " + said;
		if (expected.words == kNoWords)
			return outcome.words.empty() ? ""
						     : "unexpected: " + said;
		if (outcome.words.empty())
			return "nothing says why";
		if (outcome.words.find(expected.words) == std::string::npos)
			return std::string("expected words with \"") +
			       expected.words + "\", is " + said;
		return "";
	}
	void say(const std::string &name, const std::string &problem)
	{
		if (problem.empty()) {
			std::cout << "ok " << name << '\n';
			return;
		}
		failed_ = true;
		std::cout << "# " << problem << "\nnot ok " << name << '\n';
	}

	Connection connection_;
	int family_;
	bool failed_ = false;
};

int run(std::string_view where)
{
	constexpr int kNobodyId = 65534;

	if (where == "nobody" &&
	    (setgid(kNobodyId) != 0 || setuid(kNobodyId) != 0))
		throw Failure("cannot become nobody");
	Tester tester;
	const std::uint64_t before = tester.generation();
	if (where == "nobody") {
		tester.run(kNobody);
		tester.run_subscribe();
	} else if (where == "userns") {
		tester.run(kUserns);
	} else {
		tester.run(kAlways);
		tester.run(where == "configured" ? kConfigured : kUnconfigured);
		tester.run_manage();
	}
	tester.run_unchanged(before);
	return tester.failed() ? 1 : 0;
}

}

int main(int argc, char **argv)
{
	try {
		return run(argc > 1 ? argv[1] : "");
	} catch (const std::exception &failure) {
		std::cout << "# " << failure.what() << '\n';
		return 1;
	}
}
