// SPDX-License-Identifier: GPL-2.0
//
// What scripts get. Numbers are as the module tells them, in bytes and
// milliseconds; incarnations are text, since few readers keep all 64 bits.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "ccm.hpp"

namespace ccmctl {

void print_json(std::ostream &out, const Node &node);
void print_json(std::ostream &out, const std::vector<Peer> &peers);
void print_json(std::ostream &out, const Node &node,
		const std::vector<Peer> &peers);
void print_json(std::ostream &out, const std::vector<Consumer> &consumers);
void print_json(std::ostream &out, const std::vector<Handler> &handlers,
		const std::vector<Call> &calls);

void print_json_stats(std::ostream &out, const Node &node,
		      const std::vector<Peer> &peers);

// One line each, written at once: an event, and the peers after a loss.
void print_json_line(std::ostream &out, const std::string &time,
		     const Event &event);
void print_json_line(std::ostream &out, const std::string &time,
		     const std::vector<Peer> &peers);

}
