// SPDX-License-Identifier: GPL-2.0
#include "netlink.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

namespace ccmctl {

namespace {

using CallbacksPtr = std::unique_ptr<nl_cb, Freed<nl_cb_put>>;

constexpr auto kNeedsRight =
	"this needs root, or CAP_NET_ADMIN in this network namespace";

// What has come of one request. libnl is C: nothing may be thrown through it.
struct Answer {
	std::vector<MessagePtr> messages;
	bool complete = false;
	int error = 0;	 // negative errno
	std::string why; // the kernel's own words
};

int take_message(nl_msg *message, void *arg)
{
	nlmsg_get(message);
	static_cast<Answer *>(arg)->messages.emplace_back(message);
	return NL_OK;
}

int take_ack(nl_msg * /*message*/, void *arg)
{
	static_cast<Answer *>(arg)->complete = true;
	return NL_STOP;
}

// The kernel's own words, which libnl 3.7 does not read: attributes that follow
// the first skip bytes of what a message says.
std::string words_of(const nlmsghdr *header, std::size_t skip)
{
	const auto size = static_cast<std::size_t>(nlmsg_datalen(header));

	if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || size <= skip)
		return "";
	auto *first = reinterpret_cast<nlattr *>(
		static_cast<char *>(nlmsg_data(header)) + skip);
	nlattr *words = nla_find(first, static_cast<int>(size - skip),
				 NLMSGERR_ATTR_MSG);
	if (words == nullptr)
		return "";
	const char *text = nla_get_string(words);
	return {text, strnlen(text, static_cast<std::size_t>(nla_len(words)))};
}

// A dump that failed half-way says so in its last message.
int take_end(nl_msg *message, void *arg)
{
	auto &answer = *static_cast<Answer *>(arg);
	const nlmsghdr *header = nlmsg_hdr(message);

	if (nlmsg_datalen(header) >= static_cast<int>(sizeof(int)))
		std::memcpy(&answer.error, nlmsg_data(header), sizeof(int));
	answer.why = words_of(header, sizeof(int));
	answer.complete = true;
	return NL_STOP;
}

int take_error(sockaddr_nl * /*from*/, nlmsgerr *error, void *arg)
{
	auto &answer = *static_cast<Answer *>(arg);
	const auto *header = reinterpret_cast<nlmsghdr *>(error) - 1;
	std::size_t skip = sizeof(*error);

	// The request is repeated, unless that was left out.
	if ((header->nlmsg_flags & NLM_F_CAPPED) == 0)
		skip += static_cast<std::size_t>(nlmsg_datalen(&error->msg));
	answer.complete = true;
	answer.error = error->error;
	answer.why = words_of(header, skip);
	return NL_STOP;
}

// Events belong to no request.
int take_any_sequence(nl_msg * /*message*/, void * /*arg*/)
{
	return NL_OK;
}

CallbacksPtr callbacks_for(Answer &answer)
{
	CallbacksPtr callbacks(nl_cb_alloc(NL_CB_DEFAULT));
	if (callbacks == nullptr)
		throw std::bad_alloc();

	nl_cb *c = callbacks.get();
	nl_cb_set(c, NL_CB_VALID, NL_CB_CUSTOM, take_message, &answer);
	nl_cb_set(c, NL_CB_ACK, NL_CB_CUSTOM, take_ack, &answer);
	nl_cb_set(c, NL_CB_FINISH, NL_CB_CUSTOM, take_end, &answer);
	nl_cb_err(c, NL_CB_CUSTOM, take_error, &answer);
	return callbacks;
}

SocketPtr open_socket()
{
	SocketPtr socket(nl_socket_alloc());
	if (socket == nullptr)
		throw std::bad_alloc();
	const int error = genl_connect(socket.get());
	if (error < 0)
		throw Failure(std::string("no generic netlink here: ") +
			      nl_geterror(error));
	return socket;
}

// One sentence may have to do for several causes: the error goes with it.
std::string reason_for(const Answer &answer)
{
	if (!answer.why.empty())
		return answer.why + " (" + std::strerror(-answer.error) + ")";
	if (answer.error == -EPERM)
		return kNeedsRight;
	return std::strerror(-answer.error);
}

}

// --- attributes ----------------------------------------------------------------

Attributes::Attributes(nlattr *nest)
{
	nla_parse_nested(at_.data(), kLast, nest, nullptr);
}

Attributes::Attributes(nl_msg *message)
{
	genlmsg_parse(nlmsg_hdr(message), 0, at_.data(), kLast, nullptr);
}

std::span<const std::uint8_t> Attributes::bytes(int type) const
{
	nlattr *attribute = at_.at(static_cast<std::size_t>(type));
	if (attribute == nullptr)
		return {};
	return {static_cast<const std::uint8_t *>(nla_data(attribute)),
		static_cast<std::size_t>(nla_len(attribute))};
}

template <class T> T Attributes::number(int type) const
{
	const auto from = bytes(type);
	T value = 0;
	if (from.size() >= sizeof(T))
		std::memcpy(&value, from.data(), sizeof(T));
	return value;
}

std::uint16_t Attributes::u16(int type) const
{
	return number<std::uint16_t>(type);
}

std::uint32_t Attributes::u32(int type) const
{
	return number<std::uint32_t>(type);
}

std::int32_t Attributes::s32(int type) const
{
	return number<std::int32_t>(type);
}

std::uint64_t Attributes::u64(int type) const
{
	return number<std::uint64_t>(type);
}

bool Attributes::flag(int type) const
{
	return at_.at(static_cast<std::size_t>(type)) != nullptr;
}

std::string Attributes::string(int type) const
{
	const auto from = bytes(type);
	const auto *text = reinterpret_cast<const char *>(from.data());
	return from.empty() ? ""
			    : std::string(text, strnlen(text, from.size()));
}

std::optional<Attributes> Attributes::nest(int type) const
{
	nlattr *attribute = at_.at(static_cast<std::size_t>(type));
	if (attribute == nullptr)
		return std::nullopt;
	return Attributes(attribute);
}

// --- requests --------------------------------------------------------------------

Request::Request(int family, int version, int command, int flags)
	: message_(nlmsg_alloc())
{
	if (message_ == nullptr ||
	    genlmsg_put(message_.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
			flags, static_cast<std::uint8_t>(command),
			static_cast<std::uint8_t>(version)) == nullptr)
		throw std::bad_alloc();
}

void Request::check(int error)
{
	if (error < 0)
		throw Failure("the request is too long");
}

void Request::put_u16(int type, std::uint16_t value)
{
	check(nla_put_u16(message_.get(), type, value));
}

void Request::put_u32(int type, std::uint32_t value)
{
	check(nla_put_u32(message_.get(), type, value));
}

void Request::put_flag(int type)
{
	check(nla_put_flag(message_.get(), type));
}

void Request::put_string(int type, const std::string &value)
{
	check(nla_put_string(message_.get(), type, value.c_str()));
}

void Request::put_bytes(int type, std::span<const std::uint8_t> value)
{
	check(nla_put(message_.get(), type, static_cast<int>(value.size()),
		      value.data()));
}

void Request::put_nest(int type, const std::function<void()> &inside)
{
	// libnl leaves the flag that says "a nest" to its user.
	nlattr *nest = nla_nest_start(message_.get(), type | NLA_F_NESTED);
	check(nest == nullptr ? -1 : 0);
	inside();
	nla_nest_end(message_.get(), nest);
}

// --- asking ------------------------------------------------------------------------

Connection::Connection() : socket_(open_socket())
{
	// Words with errors, and the request not repeated in them.
	const int on = 1;
	const int fd = nl_socket_get_fd(socket_.get());
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
}

int Connection::family(const std::string &name)
{
	return std::max(0, genl_ctrl_resolve(socket_.get(), name.c_str()));
}

int Connection::group(const std::string &family, const std::string &name)
{
	const int number = genl_ctrl_resolve_grp(socket_.get(), family.c_str(),
						 name.c_str());
	if (number < 0)
		throw Failure("family " + family + " has no group " + name);
	return number;
}

std::optional<std::vector<MessagePtr>> Connection::dump(Request &request,
							const std::string &what)
{
	Answer answer;
	const CallbacksPtr callbacks = callbacks_for(answer);
	int error = nl_send_auto(socket_.get(), request.get());

	while (error >= 0 && !answer.complete)
		error = nl_recvmsgs(socket_.get(), callbacks.get());
	if (answer.error < 0)
		throw Refused(what + ": " + reason_for(answer), -answer.error);
	if (error == -NLE_DUMP_INTR)
		return std::nullopt;
	if (error < 0 && !answer.complete)
		throw Failure(what + ": " + nl_geterror(error));
	return std::move(answer.messages);
}

std::vector<MessagePtr> Connection::ask(Request &request,
					const std::string &what)
{
	auto answer = dump(request, what);
	if (!answer)
		throw Failure(what + ": it kept changing");
	return std::move(*answer);
}

// --- listening -----------------------------------------------------------------------

Listener::Listener(int group) : socket_(open_socket())
{
	constexpr int kBuffer = 1 << 20; // bytes, for bursts of events

	nl_socket_set_buffer_size(socket_.get(), kBuffer, 0);
	nl_socket_set_nonblocking(socket_.get());
	const int error = nl_socket_add_membership(socket_.get(), group);
	if (error < 0)
		throw Failure(std::string("cannot hear events: ") +
			      (error == -NLE_PERM ? kNeedsRight
						  : nl_geterror(error)));
}

bool Listener::wait(std::optional<Clock::time_point> deadline)
{
	using std::chrono::milliseconds;
	pollfd ready{nl_socket_get_fd(socket_.get()), POLLIN, 0};
	int timeout_ms = -1;

	if (deadline) {
		const auto left = std::chrono::ceil<milliseconds>(*deadline -
								  Clock::now());
		timeout_ms = static_cast<int>(
			std::max<milliseconds::rep>(0, left.count()));
	}
	const int count = poll(&ready, 1, timeout_ms);
	if (count < 0 && errno != EINTR)
		throw Failure(std::string("cannot wait for events: ") +
			      std::strerror(errno));
	return count > 0;
}

std::vector<MessagePtr>
Listener::hear(std::optional<Clock::time_point> deadline)
{
	Answer answer;
	const CallbacksPtr callbacks = callbacks_for(answer);

	nl_cb_set(callbacks.get(), NL_CB_SEQ_CHECK, NL_CB_CUSTOM,
		  take_any_sequence, nullptr);
	if (!wait(deadline))
		return {};
	const int error = nl_recvmsgs(socket_.get(), callbacks.get());
	if (error == -NLE_NOMEM) // ENOBUFS, in libnl's numbers
		lost_ = true;
	else if (error < 0 && error != -NLE_AGAIN)
		throw Failure(std::string("cannot hear events: ") +
			      nl_geterror(error));
	return std::move(answer.messages);
}

int Listener::fd() const
{
	return nl_socket_get_fd(socket_.get());
}

bool Listener::lost()
{
	return std::exchange(lost_, false);
}

}
