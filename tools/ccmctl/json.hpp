// SPDX-License-Identifier: GPL-2.0
//
// What scripts get. Numbers are as the module tells them, in bytes and
// milliseconds; incarnations are text, since few readers keep all 64 bits.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "ccm.hpp"
#include "cluster.hpp"
#include "round_trips.hpp"

namespace ccmctl {

void print_json(std::ostream &out, const Node &node);
void print_json(std::ostream &out, const std::vector<Peer> &peers);
void print_json(std::ostream &out, const Node &node,
		const std::vector<Peer> &peers, const Names &names);
void print_json(std::ostream &out, const std::vector<Consumer> &consumers);
void print_json(std::ostream &out, const std::vector<Handler> &handlers,
		const std::vector<Call> &calls);

void print_json(std::ostream &out, std::uint32_t number,
		const RoundTrips &trips);
// self: which node this is, 0 if nobody asked.
void print_json(std::ostream &out, const std::string &path,
		const ClusterFile &file, std::uint32_t self);

void print_json_stats(std::ostream &out, const Node &node,
		      const std::vector<Peer> &peers);

// One line each, written at once: an event, and the peers after a loss.
void print_json_line(std::ostream &out, const std::string &time,
		     const Event &event);
void print_json_line(std::ostream &out, const std::string &time,
		     const std::vector<Peer> &peers);

}
