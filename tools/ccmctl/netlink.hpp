// SPDX-License-Identifier: GPL-2.0
//
// Generic netlink as this tool needs it: messages, requests and their answers,
// and a group to listen to. Nothing here knows what CCM's messages mean.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "failure.hpp"

namespace ccmctl {

template <auto free_it> struct Freed {
	void operator()(auto *what) const
	{
		free_it(what);
	}
};

using SocketPtr = std::unique_ptr<nl_sock, Freed<nl_socket_free>>;
using MessagePtr = std::unique_ptr<nl_msg, Freed<nlmsg_free>>;

// The kernel said no.
class Refused : public Failure {
public:
	Refused(const std::string &what, int error)
		: Failure(what), error_(error)
	{
	}
	int error() const // positive errno
	{
		return error_;
	}

private:
	int error_;
};

// Attributes of a message or of a nest, which has to outlive them.
class Attributes {
public:
	explicit Attributes(nlattr *nest);
	explicit Attributes(nl_msg *message);

	// What is absent, or too short, is 0, "" or nothing.
	std::uint16_t u16(int type) const;
	std::uint32_t u32(int type) const;
	std::int32_t s32(int type) const;
	std::uint64_t u64(int type) const;
	bool flag(int type) const;
	std::string string(int type) const;
	std::span<const std::uint8_t> bytes(int type) const;
	std::optional<Attributes> nest(int type) const;

private:
	static constexpr int kLast = 31; // of all sets, with room to grow

	template <class T> T number(int type) const;

	std::array<nlattr *, kLast + 1> at_{};
};

// A message to be sent.
class Request {
public:
	Request(int family, int version, int command, int flags = 0);

	void put_u16(int type, std::uint16_t value);
	void put_u32(int type, std::uint32_t value);
	void put_flag(int type);
	void put_string(int type, const std::string &value);
	void put_bytes(int type, std::span<const std::uint8_t> value);
	void put_nest(int type, const std::function<void()> &inside);

	nl_msg *get()
	{
		return message_.get();
	}

private:
	void check(int error);

	MessagePtr message_;
};

// Asks, and gets answers.
class Connection {
public:
	Connection();

	// Number of a family; 0 if there is none.
	int family(const std::string &name);
	// Number of one of its groups.
	int group(const std::string &family, const std::string &name);

	// All messages of the answer. Throws Refused; what the request is for
	// begins the sentence: "cannot connect to peer 3".
	std::vector<MessagePtr> ask(Request &request, const std::string &what);

	// The answer is nothing if it changed while being written.
	std::optional<std::vector<MessagePtr>> dump(Request &request,
						    const std::string &what);

private:
	SocketPtr socket_;
};

// Hears what is sent to a group.
class Listener {
public:
	using Clock = std::chrono::steady_clock;

	// Throws Failure without the right to.
	explicit Listener(int group);

	// Waits for messages; nothing has come if it is empty at the deadline.
	// If some were lost, lost() says so until it is called again.
	std::vector<MessagePtr> hear(std::optional<Clock::time_point> deadline);
	bool lost();

	// To poll(2) for reading.
	int fd() const;

private:
	bool wait(std::optional<Clock::time_point> deadline);

	SocketPtr socket_;
	bool lost_ = false;
};

}
