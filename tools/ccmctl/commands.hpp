// SPDX-License-Identifier: GPL-2.0
//
// What the commands do that is more than one request. All throw Failure; what
// they print is for people, or JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ccm.hpp"

namespace ccmctl {

void show_node(bool json);
void list_peers(bool json);
void show_consumers(bool json);
void show_calls(bool json);

// number 0: all peers.
void show_stats(std::uint32_t number, bool json);
// The names come from the cluster's file.
void show_peers(std::uint32_t number, const std::string &file, bool json);

// Prints events until the program is stopped.
[[noreturn]] void monitor(bool json);

// Start something; with wait, in seconds, see it done, or throw.
void connect_peer(std::uint32_t number, std::optional<double> wait);
void listen_to_peer(std::uint32_t number, std::optional<double> wait);
void close_peer(std::uint32_t number, std::optional<double> wait);

// Start it, and wait for the end.
void delete_node();
void delete_peer(std::uint32_t number);

struct PingOptions {
	std::uint32_t count = 0; // 0: until it is stopped
	double interval = 1;	 // seconds
	double wait = 1;	 // seconds, for each answer
};

// Throws if none is answered.
void ping_peer(std::uint32_t number, const PingOptions &options, bool json);

struct CheckOptions {
	std::uint32_t number = 0; // has to be in the file, if not 0
	bool self = false;	  // this machine has to be
};

// Throws if there are mistakes.
void check_cluster(const std::string &path, const CheckOptions &options,
		   bool json);

// Until SIGTERM. Without a number it is found by this machine's addresses.
void manage(const std::string &path, std::optional<std::uint32_t> number);

// Where a node's key comes from: one of these is given.
struct KeyOptions {
	std::string file;
	std::string description;
	bool insecure = false;
};

void set_node(const NodeConfig &config, const KeyOptions &options);
void set_key(const KeyOptions &options);

}
