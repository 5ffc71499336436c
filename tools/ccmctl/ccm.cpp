// SPDX-License-Identifier: GPL-2.0
#include "ccm.hpp"

#include <array>
#include <cstdlib>
#include <iterator>
#include <span>

#include <netlink/genl/genl.h>

namespace ccmctl {

namespace {

struct Counted {
	int attribute;
	const char *name;
	const char *meaning;
};

constexpr auto kNodeCounters = std::to_array<Counted>({
	{CCM_A_NODE_STATS_ACCEPTED, "accepted", "connections accepted"},
	{CCM_A_NODE_STATS_REFUSED, "refused",
	 "connections that did not become a peer's"},
	{CCM_A_NODE_STATS_STRANGERS, "strangers",
	 "of these: not a peer from its address that may connect now"},
	{CCM_A_NODE_STATS_GARBAGE, "garbage",
	 "of these: broke the protocol, or went, before the proof"},
	{CCM_A_NODE_STATS_LATE, "late", "of these: no handshake in time"},
	{CCM_A_NODE_STATS_CROWDED, "crowded", "of these: too many at once"},
	{CCM_A_NODE_STATS_PROOFS, "proofs",
	 "of these: no proof of the cluster's key, or a wrong one"},
	{CCM_A_NODE_STATS_POKES, "pokes",
	 "times a peer asked to be connected to"},
});

constexpr auto kPeerCounters = std::to_array<Counted>({
	{CCM_A_PEER_STATS_MESSAGES_IN, "messages-in", "messages received"},
	{CCM_A_PEER_STATS_MESSAGES_OUT, "messages-out", "messages sent"},
	{CCM_A_PEER_STATS_BYTES_IN, "bytes-in", "bytes in messages received"},
	{CCM_A_PEER_STATS_BYTES_OUT, "bytes-out", "bytes in messages sent"},
	{CCM_A_PEER_STATS_FRAMES_IN, "frames-in",
	 "frames of all kinds received"},
	{CCM_A_PEER_STATS_FRAMES_OUT, "frames-out", "frames of all kinds sent"},
	{CCM_A_PEER_STATS_WAITS, "waits", "sends that had to wait for room"},
	{CCM_A_PEER_STATS_REFUSED, "refused",
	 "sends that would not wait and found no room"},
	{CCM_A_PEER_STATS_CONNECTS, "connects", "times it came up"},
	{CCM_A_PEER_STATS_BREAKS, "breaks",
	 "times it went down without close or goodbye"},
	{CCM_A_PEER_STATS_REPLACED, "replaced",
	 "connections replaced by a newer one"},
	{CCM_A_PEER_STATS_GARBAGE, "garbage", "frames that broke the protocol"},
	{CCM_A_PEER_STATS_UNSENT, "unsent",
	 "messages lost: accepted and never sent"},
	{CCM_A_PEER_STATS_UNKNOWN, "unknown",
	 "messages sent, whose fate is unknown"},
	{CCM_A_PEER_STATS_NO_MEMORY, "no-memory",
	 "times the receiver had to wait for memory"},
	{CCM_A_PEER_STATS_CALLS_IN, "calls-in", "calls from it that ran here"},
	{CCM_A_PEER_STATS_CALLS_OUT, "calls-out", "calls to it"},
	{CCM_A_PEER_STATS_CALLS_REFUSED, "calls-refused",
	 "calls from it that could not run here"},
	{CCM_A_PEER_STATS_HEARTBEATS, "heartbeats", "heartbeats sent"},
	{CCM_A_PEER_STATS_MISSED, "missed",
	 "of these: not answered within an interval"},
	{CCM_A_PEER_STATS_DROPPED, "dropped",
	 "of messages received: too many for a number nobody has attached"},
});

std::vector<Counter> read_counters(const std::optional<Attributes> &stats,
				   std::span<const Counted> table)
{
	std::vector<Counter> counters;

	for (const auto &[attribute, name, meaning] : table)
		counters.push_back(
			{name, meaning, stats ? stats->u64(attribute) : 0});
	return counters;
}

std::optional<Endpoint> read_endpoint(const std::optional<Attributes> &nest)
{
	if (!nest)
		return std::nullopt;

	Endpoint endpoint;
	endpoint.ipv6 = nest->flag(CCM_A_ENDPOINT_IPV6);
	const auto bytes = nest->bytes(endpoint.ipv6 ? CCM_A_ENDPOINT_IPV6
						     : CCM_A_ENDPOINT_IPV4);
	if (bytes.size() != (endpoint.ipv6 ? 16 : 4))
		return std::nullopt;
	std::copy(bytes.begin(), bytes.end(), endpoint.address.begin());
	endpoint.port = nest->u16(CCM_A_ENDPOINT_PORT);
	endpoint.scope = nest->u32(CCM_A_ENDPOINT_SCOPE);
	return endpoint;
}

void put_endpoint(Request &request, int type, const Endpoint &endpoint)
{
	const std::span<const std::uint8_t> bytes(endpoint.address);

	request.put_nest(type, [&] {
		if (endpoint.ipv6)
			request.put_bytes(CCM_A_ENDPOINT_IPV6, bytes);
		else
			request.put_bytes(CCM_A_ENDPOINT_IPV4, bytes.first(4));
		request.put_u16(CCM_A_ENDPOINT_PORT, endpoint.port);
		if (endpoint.scope != 0)
			request.put_u32(CCM_A_ENDPOINT_SCOPE, endpoint.scope);
	});
}

// Of a PeerConfig or a PeerChange.
void put_times(Request &request, const auto &from)
{
	if (from.timeout_ms)
		request.put_u32(CCM_A_PEER_TIMEOUT, *from.timeout_ms);
	if (from.interval_ms)
		request.put_u32(CCM_A_PEER_INTERVAL, *from.interval_ms);
	if (from.limit)
		request.put_u32(CCM_A_PEER_LIMIT, *from.limit);
}

Node read_node(const Attributes &from)
{
	Node node;

	node.number = from.u32(CCM_A_NODE_NUMBER);
	node.cluster = from.string(CCM_A_NODE_CLUSTER);
	node.local = read_endpoint(from.nest(CCM_A_NODE_LOCAL));
	node.incarnation = from.u64(CCM_A_NODE_INCARNATION);
	node.generation = from.u64(CCM_A_NODE_GENERATION);
	node.keyed = from.flag(CCM_A_NODE_KEYED);
	node.insecure = from.flag(CCM_A_NODE_INSECURE);
	node.managed = from.flag(CCM_A_NODE_MANAGED);
	node.deleting = from.flag(CCM_A_NODE_DELETING);
	node.stats = read_counters(from.nest(CCM_A_NODE_STATS), kNodeCounters);
	return node;
}

Peer read_peer(const Attributes &from)
{
	Peer peer;

	peer.number = from.u32(CCM_A_PEER_NUMBER);
	peer.remote = read_endpoint(from.nest(CCM_A_PEER_REMOTE));
	peer.timeout_ms = from.u32(CCM_A_PEER_TIMEOUT);
	peer.interval_ms = from.u32(CCM_A_PEER_INTERVAL);
	peer.limit = from.u32(CCM_A_PEER_LIMIT);
	if (from.flag(CCM_A_PEER_RTT))
		peer.rtt_us = from.u64(CCM_A_PEER_RTT);
	peer.state = static_cast<ccm_state>(from.u32(CCM_A_PEER_STATE));
	peer.reason = static_cast<ccm_reason>(from.u32(CCM_A_PEER_REASON));
	peer.error = std::abs(from.s32(CCM_A_PEER_ERROR));
	peer.listening = from.flag(CCM_A_PEER_LISTENING);
	peer.self = from.flag(CCM_A_PEER_SELF);
	peer.deleting = from.flag(CCM_A_PEER_DELETING);
	peer.since_ms = from.u64(CCM_A_PEER_SINCE);
	peer.incarnation = from.u64(CCM_A_PEER_INCARNATION);
	peer.queued_out = from.u64(CCM_A_PEER_QUEUED_OUT);
	peer.queued_in = from.u64(CCM_A_PEER_QUEUED_IN);
	peer.stats = read_counters(from.nest(CCM_A_PEER_STATS), kPeerCounters);
	return peer;
}

Consumer read_consumer(const Attributes &from)
{
	Consumer consumer;

	consumer.module = from.u32(CCM_A_CONSUMER_MODULE);
	consumer.attached = from.flag(CCM_A_CONSUMER_ATTACHED);
	consumer.owner = from.string(CCM_A_CONSUMER_OWNER);
	consumer.max_size = from.u32(CCM_A_CONSUMER_MAX_SIZE);
	consumer.window = from.u32(CCM_A_CONSUMER_WINDOW);
	consumer.receivers = from.u32(CCM_A_CONSUMER_RECEIVERS);
	consumer.messages = from.u64(CCM_A_CONSUMER_MESSAGES);
	consumer.queued = from.u64(CCM_A_CONSUMER_QUEUED);
	return consumer;
}

Handler read_handler(const Attributes &from)
{
	Handler handler;

	handler.module = from.u32(CCM_A_HANDLER_MODULE);
	handler.function = from.u32(CCM_A_HANDLER_FUNCTION);
	handler.kind = static_cast<ccm_call_kind>(from.u32(CCM_A_HANDLER_KIND));
	handler.running = from.u32(CCM_A_HANDLER_RUNNING);
	return handler;
}

Call read_call(const Attributes &from)
{
	Call call;

	call.what = static_cast<ccm_call_what>(from.u32(CCM_A_CALL_WHAT));
	call.node = from.u32(CCM_A_CALL_NODE);
	call.module = from.u32(CCM_A_CALL_MODULE);
	call.function = from.u32(CCM_A_CALL_FUNCTION);
	call.seqn = from.u32(CCM_A_CALL_SEQN);
	call.age_ms = from.u64(CCM_A_CALL_AGE);
	return call;
}

template <class T>
std::vector<T> read_all(const std::vector<MessagePtr> &messages,
			T (*read)(const Attributes &))
{
	std::vector<T> all;

	all.reserve(messages.size());
	for (const auto &message : messages)
		all.push_back(read(Attributes(message.get())));
	return all;
}

// An answer of exactly one message.
template <class T>
T read_one(const std::vector<MessagePtr> &messages,
	   T (*read)(const Attributes &))
{
	if (messages.empty())
		throw Failure("the kernel's answer is empty");
	return read(Attributes(messages.front().get()));
}

std::string name_of(std::uint32_t number)
{
	return "peer " + std::to_string(number);
}

}

Ccm::Ccm() : family_(connection_.family(CCM_FAMILY_NAME))
{
	if (family_ == 0)
		throw Failure("CCM is not loaded: modprobe kccm");
}

Request Ccm::request(int command, int flags) const
{
	return {family_, CCM_FAMILY_VERSION, command, flags};
}

std::vector<MessagePtr> Ccm::dump(int command, const std::string &what)
{
	constexpr int kAttempts = 20;

	for (int i = 0; i < kAttempts; i++) {
		Request request = this->request(command, NLM_F_DUMP);
		if (auto messages = connection_.dump(request, what))
			return std::move(*messages);
	}
	throw Failure(what + ": they change too fast; try again");
}

Node Ccm::node()
{
	Request request = this->request(CCM_CMD_NODE_GET);

	return read_one(connection_.ask(request, "cannot read this node"),
			read_node);
}

void Ccm::set_node(const NodeConfig &config)
{
	Request request = this->request(CCM_CMD_NODE_SET);

	request.put_u32(CCM_A_NODE_NUMBER, config.number);
	if (!config.cluster.empty())
		request.put_string(CCM_A_NODE_CLUSTER, config.cluster);
	put_endpoint(request, CCM_A_NODE_LOCAL, config.local);
	connection_.ask(request, "cannot set this node");
}

void Ccm::set_key(const std::string &description)
{
	Request request = this->request(CCM_CMD_KEY_SET);

	request.put_string(CCM_A_NODE_KEY, description);
	connection_.ask(request, "cannot set the key '" + description + "'");
}

void Ccm::set_insecure()
{
	Request request = this->request(CCM_CMD_KEY_SET);

	request.put_flag(CCM_A_NODE_INSECURE);
	connection_.ask(request, "cannot make this node insecure");
}

void Ccm::manage()
{
	Request request = this->request(CCM_CMD_MANAGE);

	connection_.ask(request, "cannot manage this node");
}

void Ccm::delete_node()
{
	Request request = this->request(CCM_CMD_NODE_DELETE);

	connection_.ask(request, "cannot delete this node");
}

Peer Ccm::peer(std::uint32_t number)
{
	Request request = this->request(CCM_CMD_PEER_GET);

	request.put_u32(CCM_A_PEER_NUMBER, number);
	return read_one(
		connection_.ask(request, "cannot read " + name_of(number)),
		read_peer);
}

std::vector<Peer> Ccm::peers()
{
	return read_all(dump(CCM_CMD_PEER_GET, "cannot read the peers"),
			read_peer);
}

void Ccm::add_peer(const PeerConfig &config)
{
	Request request = this->request(CCM_CMD_PEER_ADD);

	request.put_u32(CCM_A_PEER_NUMBER, config.number);
	put_endpoint(request, CCM_A_PEER_REMOTE, config.remote);
	put_times(request, config);
	connection_.ask(request, "cannot add " + name_of(config.number));
}

void Ccm::set_peer(const PeerChange &change)
{
	Request request = this->request(CCM_CMD_PEER_SET);

	request.put_u32(CCM_A_PEER_NUMBER, change.number);
	put_times(request, change);
	connection_.ask(request, "cannot change " + name_of(change.number));
}

void Ccm::change_peer(int command, std::uint32_t number,
		      const std::string &what)
{
	Request request = this->request(command);

	request.put_u32(CCM_A_PEER_NUMBER, number);
	connection_.ask(request, what + " " + name_of(number));
}

void Ccm::delete_peer(std::uint32_t number)
{
	change_peer(CCM_CMD_PEER_DELETE, number, "cannot delete");
}

void Ccm::connect(std::uint32_t number)
{
	change_peer(CCM_CMD_CONNECT, number, "cannot connect to");
}

void Ccm::listen(std::uint32_t number)
{
	change_peer(CCM_CMD_LISTEN, number, "cannot listen to");
}

void Ccm::close(std::uint32_t number)
{
	change_peer(CCM_CMD_CLOSE, number, "cannot close");
}

void Ccm::ping(std::uint32_t number)
{
	change_peer(CCM_CMD_PING, number, "cannot ping");
}

void Ccm::poke(std::uint32_t number)
{
	change_peer(CCM_CMD_POKE, number, "cannot poke");
}

std::vector<Consumer> Ccm::consumers()
{
	return read_all(dump(CCM_CMD_CONSUMER_GET, "cannot read the consumers"),
			read_consumer);
}

std::vector<Handler> Ccm::handlers()
{
	return read_all(dump(CCM_CMD_HANDLER_GET, "cannot read the handlers"),
			read_handler);
}

std::vector<Call> Ccm::calls()
{
	return read_all(dump(CCM_CMD_CALL_GET, "cannot read the calls"),
			read_call);
}

Listener Ccm::listener()
{
	return Listener(connection_.group(CCM_FAMILY_NAME, CCM_MCGRP_EVENTS));
}

std::optional<Event> read_event(nl_msg *message)
{
	const auto *header =
		static_cast<genlmsghdr *>(nlmsg_data(nlmsg_hdr(message)));
	if (header->cmd != CCM_CMD_EVENT)
		return std::nullopt;

	const Attributes from(message);
	Event event;
	event.kind = static_cast<ccm_event_kind>(from.u32(CCM_A_EVENT_KIND));
	event.node = from.u32(CCM_A_EVENT_NODE);
	event.generation = from.u64(CCM_A_EVENT_GENERATION);
	event.state = static_cast<ccm_state>(from.u32(CCM_A_EVENT_STATE));
	event.reason = static_cast<ccm_reason>(from.u32(CCM_A_EVENT_REASON));
	event.error = std::abs(from.s32(CCM_A_EVENT_ERROR));
	event.unsent = from.u64(CCM_A_EVENT_UNSENT);
	event.unknown = from.u64(CCM_A_EVENT_UNKNOWN);
	event.remote = read_endpoint(from.nest(CCM_A_EVENT_REMOTE));
	event.module = from.u32(CCM_A_EVENT_MODULE);
	event.function = from.u32(CCM_A_EVENT_FUNCTION);
	event.incarnation = from.u64(CCM_A_EVENT_INCARNATION);
	event.rtt_us = from.u64(CCM_A_EVENT_RTT);
	event.left_out = from.u64(CCM_A_EVENT_LEFT_OUT);
	return event;
}

}
