// SPDX-License-Identifier: GPL-2.0
//
// What the commands do that is more than one request. All throw Failure; what
// they print is for people, or JSON.
#pragma once

#include <cstdint>
#include <optional>

namespace ccmctl {

void show_node(bool json);
void list_peers(bool json);
void show_consumers(bool json);
void show_calls(bool json);

// number 0: all peers.
void show_peers(std::uint32_t number, bool json);
void show_stats(std::uint32_t number, bool json);

// Prints events until the program is stopped.
[[noreturn]] void monitor(bool json);

// Start something; with wait, in seconds, see it done, or throw.
void connect_peer(std::uint32_t number, std::optional<double> wait);
void listen_to_peer(std::uint32_t number, std::optional<double> wait);
void close_peer(std::uint32_t number, std::optional<double> wait);

}
