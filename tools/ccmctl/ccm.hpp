// SPDX-License-Identifier: GPL-2.0
//
// What the module tells and is told, in C++: Documentation/netlink/specs/ccm.yaml
// has the meaning of each field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "endpoint.hpp"
#include "linux/ccm.h"
#include "netlink.hpp"

namespace ccmctl {

struct Counter {
	const char *name;
	const char *meaning;
	std::uint64_t value;
};

struct Node {
	std::uint32_t number = 0; // 0: not configured
	std::string cluster;
	std::optional<Endpoint> local;
	std::uint64_t incarnation = 0;
	std::uint64_t generation = 0;
	bool keyed = false; // it has a key, or was told to be insecure
	bool insecure = false;
	bool managed = false;
	bool deleting = false;
	std::vector<Counter> stats;
};

struct Peer {
	std::uint32_t number = 0;
	std::optional<Endpoint> remote;
	std::uint32_t timeout_ms = 0;
	std::uint32_t interval_ms = 0; // 0: no heartbeats but those asked for
	std::uint32_t limit = 0;
	std::optional<std::uint64_t> rtt_us;
	ccm_state state = CCM_STATE_DOWN;
	ccm_reason reason = CCM_REASON_NONE;
	int error = 0; // positive errno
	bool listening = false;
	bool self = false;
	bool deleting = false;
	std::uint64_t since_ms = 0;
	std::uint64_t incarnation = 0;
	std::uint64_t queued_out = 0;
	std::uint64_t queued_in = 0;
	std::vector<Counter> stats;
};

struct Consumer {
	std::uint32_t module = 0;
	bool attached = false;
	std::string owner;
	std::uint32_t max_size = 0;
	std::uint32_t window = 0;
	std::uint32_t receivers = 0;
	std::uint64_t messages = 0;
	std::uint64_t queued = 0;
};

// A function that other nodes can call here.
struct Handler {
	std::uint32_t module = 0;
	std::uint32_t function = 0;
	ccm_call_kind kind = CCM_CALL_KIND_SHORT;
	std::uint32_t running = 0;
};

struct Call {
	ccm_call_what what = CCM_CALL_WHAT_SHORT;
	std::uint32_t node = 0;
	std::uint32_t module = 0;
	std::uint32_t function = 0;
	std::uint32_t seqn = 0;
	std::uint64_t age_ms = 0;
};

struct Event {
	ccm_event_kind kind = CCM_EVENT_KIND_NODE;
	std::uint32_t node = 0; // 0: none is known
	std::uint64_t generation = 0;
	ccm_state state = CCM_STATE_DOWN;
	ccm_reason reason = CCM_REASON_NONE;
	int error = 0; // positive errno
	std::uint64_t unsent = 0;
	std::uint64_t unknown = 0;
	std::optional<Endpoint> remote;
	std::uint32_t module = 0;
	std::uint32_t function = 0;
	std::uint64_t incarnation = 0; // 0: not told
	std::uint64_t rtt_us = 0;
	std::uint64_t left_out = 0; // of its kind, before it
};

struct NodeConfig {
	std::uint32_t number = 0;
	std::string cluster;
	Endpoint local;
};

struct PeerConfig {
	std::uint32_t number = 0;
	Endpoint remote;
	std::optional<std::uint32_t> timeout_ms;
	std::optional<std::uint32_t> interval_ms = {};
	std::optional<std::uint32_t> limit = {};
};

// What can be changed of a peer, and what of it shall be.
struct PeerChange {
	std::uint32_t number = 0;
	std::optional<std::uint32_t> timeout_ms;
	std::optional<std::uint32_t> interval_ms;
	std::optional<std::uint32_t> limit;
};

// The node of this network namespace. All calls throw Failure, and Refused if
// the kernel said no.
class Ccm {
public:
	Ccm(); // throws Failure if the module is not there

	Node node();
	void set_node(const NodeConfig &config);
	// Start to; so does delete_peer().
	void delete_node();

	// The key is found in this process's keyrings.
	void set_key(const std::string &description);
	void set_insecure();
	// Holds this node as its manager as long as this object lives.
	void manage();

	Peer peer(std::uint32_t number);
	std::vector<Peer> peers(); // this node among them
	void add_peer(const PeerConfig &config);
	void set_peer(const PeerChange &change);
	void delete_peer(std::uint32_t number);

	void connect(std::uint32_t number);
	void listen(std::uint32_t number);
	void close(std::uint32_t number);
	void ping(std::uint32_t number);
	void poke(std::uint32_t number);

	std::vector<Consumer> consumers();
	std::vector<Handler> handlers();
	std::vector<Call> calls();

	// Hears the events from now on.
	Listener listener();

private:
	Request request(int command, int flags = 0) const;
	void change_peer(int command, std::uint32_t number,
			 const std::string &what);
	std::vector<MessagePtr> dump(int command, const std::string &what);

	Connection connection_;
	int family_;
};

// Nothing for a message that is no event.
std::optional<Event> read_event(nl_msg *message);

}
