// SPDX-License-Identifier: GPL-2.0
#include "json.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "words.hpp"

namespace ccmctl {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto kReplace = Json::error_handler_t::replace; // bytes not UTF-8

std::string hex(std::uint64_t number)
{
	std::array<char, 32> text{};

	std::snprintf(text.data(), text.size(), "0x%016" PRIx64, number);
	return text.data();
}

void add_endpoint(Json &json, const std::optional<Endpoint> &endpoint)
{
	if (!endpoint)
		return;
	json["address"] = address_text(*endpoint);
	if (endpoint->scope != 0)
		json["interface"] = interface_text(*endpoint);
	json["port"] = endpoint->port;
}

void add_reason(Json &json, ccm_reason reason, int error)
{
	json["reason"] = name_of(reason);
	if (error != 0)
		json["error"] = error;
	json["why"] = why_text(reason, error);
}

Json to_json(const Node &node)
{
	Json json;

	json["number"] = node.number;
	json["cluster"] = node.cluster;
	add_endpoint(json, node.local);
	json["incarnation"] = hex(node.incarnation);
	json["generation"] = node.generation;
	json["keyed"] = node.keyed;
	json["insecure"] = node.insecure;
	json["managed"] = node.managed;
	json["deleting"] = node.deleting;
	return json;
}

Json to_json(const Peer &peer)
{
	Json json;

	json["number"] = peer.number;
	json["self"] = peer.self;
	json["deleting"] = peer.deleting;
	add_endpoint(json, peer.remote);
	json["timeout_ms"] = peer.timeout_ms;
	json["interval_ms"] = peer.interval_ms;
	json["limit"] = peer.limit;
	if (peer.rtt_us)
		json["rtt_us"] = *peer.rtt_us;
	json["state"] = name_of(peer.state);
	json["since_ms"] = peer.since_ms;
	add_reason(json, peer.reason, peer.error);
	json["listening"] = peer.listening;
	json["incarnation"] = hex(peer.incarnation);
	json["queued_out"] = peer.queued_out;
	json["queued_in"] = peer.queued_in;
	return json;
}

Json to_json(const Consumer &consumer)
{
	Json json;

	json["module"] = consumer.module;
	json["attached"] = consumer.attached;
	json["owner"] = consumer.owner;
	json["max_size"] = consumer.max_size;
	json["window"] = consumer.window;
	json["receivers"] = consumer.receivers;
	json["messages"] = consumer.messages;
	json["queued"] = consumer.queued;
	return json;
}

Json to_json(const Handler &handler)
{
	Json json;

	json["module"] = handler.module;
	json["function"] = handler.function;
	json["kind"] = name_of(handler.kind);
	json["running"] = handler.running;
	return json;
}

Json to_json(const Call &call)
{
	Json json;

	json["what"] = name_of(call.what);
	json["node"] = call.node;
	json["module"] = call.module;
	json["function"] = call.function;
	json["seqn"] = call.seqn;
	json["age_ms"] = call.age_ms;
	return json;
}

void add_refused_call(Json &json, const Event &event)
{
	json["module"] = event.module;
	json["function"] = event.function;
	json["error"] = event.error;
	json["why"] = refused_call_why(event.error);
}

Json to_json(const Event &event)
{
	Json json;

	json["event"] = name_of(event.kind);
	json["generation"] = event.generation;
	if (event.node != 0 || event.kind == CCM_EVENT_KIND_NODE)
		json["node"] = event.node;
	if (event.kind == CCM_EVENT_KIND_STATE) {
		json["state"] = name_of(event.state);
		json["unsent"] = event.unsent;
		json["unknown"] = event.unknown;
		if (event.incarnation != 0)
			json["incarnation"] = hex(event.incarnation);
	}
	if (event.kind == CCM_EVENT_KIND_HEARTBEAT)
		json["rtt_us"] = event.rtt_us;
	if (event.kind == CCM_EVENT_KIND_STATE ||
	    event.kind == CCM_EVENT_KIND_REFUSED)
		add_reason(json, event.reason, event.error);
	if (event.kind == CCM_EVENT_KIND_CALL_REFUSED)
		add_refused_call(json, event);
	add_endpoint(json, event.remote);
	if (event.left_out != 0)
		json["left_out"] = event.left_out;
	return json;
}

Json to_json(const std::vector<Counter> &stats)
{
	Json json = Json::object();

	for (const auto &counter : stats) {
		std::string name = counter.name;
		std::replace(name.begin(), name.end(), '-', '_');
		json[name] = counter.value;
	}
	return json;
}

template <class T> Json to_json(const std::vector<T> &all)
{
	Json list = Json::array();

	for (const auto &one : all)
		list.push_back(to_json(one));
	return list;
}

Json numbered(std::uint32_t number, const std::vector<Counter> &stats)
{
	return {{"number", number}, {"stats", to_json(stats)}};
}

void print(std::ostream &out, const Json &json)
{
	out << json.dump(2, ' ', false, kReplace) << '\n';
}

void print_line(std::ostream &out, const std::string &time, const Json &json)
{
	Json line = {{"time", time}};

	line.update(json);
	out << line.dump(-1, ' ', false, kReplace) << std::endl;
}

}

void print_json(std::ostream &out, const Node &node)
{
	print(out, to_json(node));
}

void print_json(std::ostream &out, const std::vector<Peer> &peers)
{
	print(out, to_json(peers));
}

void print_json(std::ostream &out, const Node &node,
		const std::vector<Peer> &peers, const Names &names)
{
	Json list = to_json(peers);

	for (Json &peer : list)
		if (const auto name = names.find(peer["number"]);
		    name != names.end())
			peer["name"] = name->second;
	print(out, {{"node", to_json(node)}, {"peers", list}});
}

void print_json(std::ostream &out, const std::vector<Consumer> &consumers)
{
	print(out, to_json(consumers));
}

void print_json(std::ostream &out, const std::vector<Handler> &handlers,
		const std::vector<Call> &calls)
{
	print(out,
	      {{"handlers", to_json(handlers)}, {"calls", to_json(calls)}});
}

void print_json(std::ostream &out, std::uint32_t number,
		const RoundTrips &trips)
{
	Json json = {{"node", number},
		     {"sent", trips.sent},
		     {"answered", trips.answered}};

	if (trips.answered != 0) {
		json["min_us"] = trips.least_us;
		json["avg_us"] = trips.mean_us();
		json["max_us"] = trips.most_us;
	}
	print(out, json);
}

void print_json(std::ostream &out, const std::string &path,
		const ClusterFile &file, std::uint32_t self)
{
	Json mistakes = Json::array();
	Json json = {{"file", path}, {"cluster", file.cluster.name}};

	for (const Mistake &mistake : file.mistakes)
		mistakes.push_back(
			{{"line", mistake.line}, {"what", mistake.what}});
	json["nodes"] = file.cluster.members.size();
	if (self != 0)
		json["self"] = self;
	json["mistakes"] = mistakes;
	print(out, json);
}

void print_json_stats(std::ostream &out, const Node &node,
		      const std::vector<Peer> &peers)
{
	Json list = Json::array();

	for (const auto &peer : peers)
		list.push_back(numbered(peer.number, peer.stats));
	print(out,
	      {{"node", numbered(node.number, node.stats)}, {"peers", list}});
}

void print_json_line(std::ostream &out, const std::string &time,
		     const Event &event)
{
	print_line(out, time, to_json(event));
}

void print_json_line(std::ostream &out, const std::string &time,
		     const std::vector<Peer> &peers)
{
	print_line(out, time, {{"event", "lost"}, {"peers", to_json(peers)}});
}

}
