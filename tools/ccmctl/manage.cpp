// SPDX-License-Identifier: GPL-2.0
//
// The manager: keeps this node connected with all others of its cluster, as the
// file says. What to do is decided in mesh.cpp; here it is done.
#include "commands.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <random>

#include <poll.h>

#include "ccm.hpp"
#include "cluster.hpp"
#include "key.hpp"
#include "log.hpp"
#include "mesh.hpp"
#include "signals.hpp"
#include "words.hpp"

namespace ccmctl {

namespace {

using Clock = std::chrono::steady_clock;

// Events tell what changes; this is for what nothing tells.
constexpr std::chrono::seconds kBetweenLooks{10};

std::string label_of(const Member &member)
{
	const std::string number = std::to_string(member.number);

	return member.name.empty() ? number : number + " (" + member.name + ")";
}

Names names_of(const Cluster &cluster)
{
	Names names;

	for (const Member &member : cluster.members)
		names[member.number] = label_of(member);
	return names;
}

Mesh::Wanted wanted_of(const Cluster &cluster, std::uint32_t self)
{
	Mesh::Wanted wanted;

	wanted.self = self;
	wanted.first = Mesh::Pause(cluster.first_ms);
	wanted.most = Mesh::Pause(cluster.most_ms);
	for (const Member &member : cluster.members)
		if (member.number != self)
			wanted.peers.push_back({member.number, member.address,
						cluster.attempt_ms,
						cluster.interval_ms,
						cluster.limit});
	return wanted;
}

// What of this node a manager cannot change while it runs.
std::string change_of_self(const Cluster &before, const Cluster &after,
			   std::uint32_t self)
{
	const Member *member = after.member(self);

	if (after.name != before.name)
		return "the cluster's name has changed";
	if (member == nullptr)
		return "this node, " + std::to_string(self) +
		       ", is no longer in the file";
	if (member->address != before.member(self)->address)
		return "the address of this node has changed";
	return "";
}

class Manager {
public:
	Manager(std::string path, std::optional<std::uint32_t> number);

	// Until it is told to end.
	void run();

private:
	void set_up();
	void set_key(const Cluster &cluster);
	void set_node(const Node &node);
	void look();
	void act();
	int perform(const Mesh::Operation &operation);
	void wait();
	void hear();
	void hear(const Event &event);
	void reload();
	void reload(const Cluster &cluster);
	void take_signals();
	const Member &self() const
	{
		return *cluster_.member(number_);
	}

	std::string path_;
	Cluster cluster_;
	Names names_;
	std::uint32_t number_;
	Signals signals_;
	Ccm ccm_;
	Listener listener_;
	Mesh mesh_;
	Log log_;
	Clock::time_point looked_;
	bool ending_ = false;
};

Cluster read_good_cluster(const std::string &path)
{
	ClusterFile file = read_cluster(path);

	for (const Mistake &mistake : file.mistakes)
		Log::say(LOG_ERR, mistake_text(path, mistake));
	if (!file.mistakes.empty())
		throw Failure(path + " has " +
			      quantity_text(file.mistakes.size(), "mistake"));
	return std::move(file.cluster);
}

std::uint32_t choose_self(const Cluster &cluster,
			  std::optional<std::uint32_t> number)
{
	if (!number)
		return find_self(cluster, own_addresses());
	if (cluster.member(*number) == nullptr)
		throw Failure("there is no node " + std::to_string(*number) +
			      " in the file");
	return *number;
}

// Between 0 and 1, different on each node.
Mesh::Chance dice()
{
	return [random = std::minstd_rand(std::random_device()())]() mutable {
		return std::uniform_real_distribution(0.0, 1.0)(random);
	};
}

Manager::Manager(std::string path, std::optional<std::uint32_t> number)
	: path_(std::move(path)), cluster_(read_good_cluster(path_)),
	  names_(names_of(cluster_)), number_(choose_self(cluster_, number)),
	  signals_({SIGHUP, SIGINT, SIGTERM}), listener_(ccm_.listener()),
	  mesh_(dice())
{
}

void Manager::run()
{
	try {
		ccm_.manage();
	} catch (const Refused &refused) {
		if (refused.error() == EBUSY)
			throw Failure("another manager holds this node");
		throw;
	}
	set_up();
	while (!ending_) {
		look();
		act();
		wait();
		hear();
		take_signals();
	}
	Log::say(LOG_NOTICE, "ending; the connections stay");
}

void Manager::set_up()
{
	set_key(cluster_);
	set_node(ccm_.node());
	mesh_.want(wanted_of(cluster_, number_), Clock::now());
	mesh_.lost();
	Log::say(LOG_NOTICE, "this is node " + label_of(self()) +
				     " of cluster " + cluster_.name + " at " +
				     endpoint_text(self().address) +
				     ", one of " +
				     std::to_string(cluster_.members.size()));
}

void Manager::set_key(const Cluster &cluster)
{
	if (cluster.insecure)
		ccm_.set_insecure();
	else
		set_key_file(ccm_, cluster.name, cluster.key);
}

void Manager::set_node(const Node &node)
{
	const Member &member = self();

	if (node.number == 0) {
		ccm_.set_node({number_, cluster_.name, member.address});
		return;
	}
	if (node.number == number_ && node.cluster == cluster_.name &&
	    node.local == member.address)
		return; // a manager before this one did it
	throw Failure("this is node " + std::to_string(node.number) +
		      " of cluster '" + node.cluster + "'" +
		      (node.local ? " at " + endpoint_text(*node.local) : "") +
		      " already, and the file has it as node " +
		      std::to_string(number_) + " of cluster '" +
		      cluster_.name + "' at " + endpoint_text(member.address) +
		      ": ccmctl node delete, then start the manager again");
}

// All at once: when something is amiss, and now and then.
void Manager::look()
{
	const auto now = Clock::now();

	if (!mesh_.stale() && now - looked_ < kBetweenLooks)
		return;
	if (ccm_.node().number != number_) {
		Log::say(LOG_WARNING, "somebody has deleted this node");
		set_up();
	}
	mesh_.see(ccm_.peers(), Clock::now());
	looked_ = now;
}

void Manager::act()
{
	for (;;) {
		const auto operations = mesh_.due(Clock::now());

		if (operations.empty())
			return;
		for (const Mesh::Operation &operation : operations) {
			const int error = perform(operation);
			mesh_.did(operation, error, Clock::now());
		}
	}
}

// What goes wrong with one peer does not concern the others.
int Manager::perform(const Mesh::Operation &operation)
{
	const PeerConfig &peer = operation.peer;

	try {
		switch (operation.what) {
		case Mesh::What::Add:
			ccm_.add_peer(peer);
			break;
		case Mesh::What::Set:
			ccm_.set_peer({peer.number, peer.timeout_ms,
				       peer.interval_ms, peer.limit});
			break;
		case Mesh::What::Delete:
			ccm_.delete_peer(peer.number);
			break;
		case Mesh::What::Connect:
			ccm_.connect(peer.number);
			break;
		case Mesh::What::Listen:
			ccm_.listen(peer.number);
			break;
		case Mesh::What::Close:
			ccm_.close(peer.number);
			break;
		case Mesh::What::Poke:
			ccm_.poke(peer.number);
			break;
		case Mesh::What::Ping:
			ccm_.ping(peer.number);
			break;
		}
		return 0;
	} catch (const Refused &refused) {
		if (refused.error() == ENOENT) // there is no such family
			throw Failure("CCM has been unloaded");
		Log::say(LOG_WARNING, refused.what());
		return refused.error();
	}
}

void Manager::wait()
{
	using std::chrono::milliseconds;
	const auto now = Clock::now();
	const auto until =
		std::min(mesh_.next(now).value_or(now + kBetweenLooks),
			 looked_ + kBetweenLooks);
	const auto left = std::chrono::ceil<milliseconds>(until - now);
	pollfd ready[] = {{listener_.fd(), POLLIN, 0},
			  {signals_.fd(), POLLIN, 0}};

	if (poll(ready, std::size(ready),
		 static_cast<int>(std::max<long>(0, left.count()))) < 0 &&
	    errno != EINTR)
		throw Failure(std::string("cannot wait: ") +
			      std::strerror(errno));
}

void Manager::hear()
{
	constexpr int kAtOnce = 1000; // then there is something to do, surely

	for (int i = 0; i < kAtOnce; i++) {
		const auto messages = listener_.hear(Clock::now());

		for (const auto &message : messages)
			if (const auto event = read_event(message.get()))
				hear(*event);
		if (listener_.lost()) {
			Log::say(LOG_INFO, "events were lost; looking at all");
			mesh_.lost();
		} else if (messages.empty()) {
			return;
		}
	}
}

void Manager::hear(const Event &event)
{
	const auto now = Clock::now();

	if (event.kind == CCM_EVENT_KIND_NODE && event.node != number_)
		mesh_.lost();
	log_.say(event, names_, now);
	mesh_.hear(event, now);
}

void Manager::take_signals()
{
	while (const auto signal = signals_.take()) {
		if (*signal == SIGHUP)
			reload();
		else
			ending_ = true;
	}
}

void Manager::reload()
{
	try {
		reload(read_good_cluster(path_));
	} catch (const Failure &failure) {
		Log::say(LOG_ERR,
			 std::string(failure.what()) +
				 "; keeping what the file said before");
	}
}

void Manager::reload(const Cluster &cluster)
{
	const std::string change = change_of_self(cluster_, cluster, number_);

	if (!change.empty())
		throw Failure(change + ": end the manager, ccmctl node delete, "
				       "and start it again");
	set_key(cluster);
	cluster_ = cluster;
	names_ = names_of(cluster_);
	mesh_.want(wanted_of(cluster_, number_), Clock::now());
	Log::say(LOG_NOTICE,
		 "have read " + path_ + " again: " +
			 quantity_text(cluster_.members.size(), "node"));
}

}

void manage(const std::string &path, std::optional<std::uint32_t> number)
{
	Manager(path, number).run();
}

}
