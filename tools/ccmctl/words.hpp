// SPDX-License-Identifier: GPL-2.0
//
// Numbers of the protocol and quantities, as people and as scripts read them.
#pragma once

#include <cstdint>
#include <string>

#include "ccm.hpp"

namespace ccmctl {

// The names of the specification: "up", "goodbye", "peer-add".
std::string name_of(ccm_state state);
std::string name_of(ccm_reason reason);
std::string name_of(ccm_event_kind kind);
std::string name_of(ccm_call_kind kind);
std::string name_of(ccm_call_what what);

// "the connection broke: Connection timed out"; "" for no reason.
std::string why_text(ccm_reason reason, int error);

// "there is no such handler"; of a positive errno.
std::string refused_call_why(int error);

// "down", "up", … and "self" for this node.
std::string state_text(const Peer &peer);

// "peer 3 is down: the peer said goodbye; 2 messages were not sent"
// The peer goes by another name than its number if there is one.
std::string event_text(const Event &event, const std::string &name = "");

std::string round_trip_text(std::uint64_t microseconds); // "0.125 ms"
std::string quantity_text(std::size_t count,
			  const std::string &what);    // "2 nodes"
std::string duration_text(std::uint64_t milliseconds); // "12 s", "3 h"
std::string size_text(std::uint64_t bytes);	       // "0", "1.5 MiB"

}
