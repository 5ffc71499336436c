// SPDX-License-Identifier: GPL-2.0
//
// ccmctl: how an administrator, or a script, configures CCM and watches it.
// Here is what may stand on its command line. See Documentation/ccmctl.8.
#include <array>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <optional>

#include <CLI/CLI.hpp>

#include "ccm.hpp"
#include "commands.hpp"
#include "failure.hpp"
#include "key.hpp"

namespace ccmctl {

namespace {

constexpr int kUsage = 2;
constexpr double kMsPerSecond = 1000;
constexpr double kLongestWait = 86400; // a day

constexpr auto kKeyFile = "ccm.key"; // in the present folder

constexpr auto kFooter =
	"-j, anywhere, prints JSON. Changing anything, calls and monitor need root "
	"(CAP_NET_ADMIN).\nExit status: 0 done, 1 failed, 2 wrong usage.";

// What has been given on the command line.
struct Arguments {
	bool json = false;
	std::uint32_t number = 0;
	std::string address;
	std::uint16_t port = CCM_PORT_DEFAULT;
	std::string cluster;
	KeyOptions key;
	double timeout = CCM_TIMEOUT_DEFAULT / kMsPerSecond;
	std::optional<double> new_timeout;
	std::optional<std::uint32_t> interval_ms;
	std::optional<std::uint32_t> limit;
	std::optional<double> wait;
	PingOptions ping;
	std::string file;
	std::string cluster_file = "/etc/ccm/cluster.toml";
	std::optional<std::uint32_t> wanted_node;
	std::string which;

	CheckOptions check() const
	{
		if (which.empty() || which == "auto")
			return {0, !which.empty()};
		return {static_cast<std::uint32_t>(std::stoul(which)), false};
	}

	NodeConfig node() const
	{
		return {number, cluster, parse_endpoint(address, port)};
	}
	PeerConfig peer() const
	{
		return {number, parse_endpoint(address, port),
			milliseconds(timeout), interval_ms, limit};
	}
	PeerChange change() const
	{
		PeerChange change{number, {}, interval_ms, limit};

		if (new_timeout)
			change.timeout_ms = milliseconds(*new_timeout);
		return change;
	}

	static std::uint32_t milliseconds(double seconds)
	{
		return static_cast<std::uint32_t>(
			std::lround(seconds * kMsPerSecond));
	}
};

// --- options ----------------------------------------------------------------

// As CLI::Range(), whose words in the help would be those of a programmer.
template <class T> CLI::Validator range(T first, T last)
{
	return CLI::Range(first, last).description("");
}

std::string cluster_problem(const std::string &name)
{
	if (name.size() <= CCM_CLUSTER_MAX)
		return "";
	return "the name is longer than " + std::to_string(CCM_CLUSTER_MAX) +
	       " bytes";
}

std::string description_problem(const std::string &text)
{
	if (!text.empty() && text.size() <= CCM_KEY_NAME_MAX)
		return "";
	return "a description has 1 to " + std::to_string(CCM_KEY_NAME_MAX) +
	       " bytes";
}

std::string interval_problem(const std::string &text)
{
	return text == "0" ? ""
			   : range(CCM_INTERVAL_MIN, CCM_TIMEOUT_MAX)(text);
}

std::string which_problem(const std::string &text)
{
	return text == "auto" ? "" : range(1, CCM_NODE_MAX)(text);
}

enum class Need { Required, Optional };

void add_number(CLI::App &command, Arguments &given, const std::string &help,
		Need need = Need::Required)
{
	command.add_option("N", given.number,
			   help + ", 1 to " + std::to_string(CCM_NODE_MAX))
		->required(need == Need::Required)
		->type_name("")
		->check(range(1, CCM_NODE_MAX));
}

void add_endpoint(CLI::App &command, Arguments &given)
{
	command.add_option("--address", given.address,
			   "IPv4 or IPv6 address; fe80::1%eth0 if link-local")
		->required()
		->type_name("ADDRESS")
		->check(address_problem);
	command.add_option("--port", given.port, "TCP port")
		->type_name("PORT")
		->capture_default_str()
		->check(range(1, 65535));
}

// One of them has to be given.
void add_key(CLI::App &command, Arguments &given)
{
	auto &group = *command.add_option_group("Key, one of");

	group.add_option("--key-file", given.key.file,
			 "file of the cluster's key, as genkey makes it")
		->type_name("FILE");
	group.add_option("--key", given.key.description,
			 "description of a key of type logon, as of keyctl(1)")
		->type_name("DESCRIPTION")
		->check(description_problem);
	group.add_flag("--insecure", given.key.insecure,
		       "no key: whoever has a member's address is let in");
	group.require_option(1);
}

void add_heartbeat(CLI::App &command, Arguments &given)
{
	command.add_option("--interval", given.interval_ms,
			   "milliseconds between two heartbeats, from " +
				   std::to_string(CCM_INTERVAL_MIN) +
				   "; 0: none")
		->type_name("MS")
		->check(interval_problem);
	command.add_option("--limit", given.limit,
			   "intervals of silence after which the peer is\n"
			   "down, 2 to 100; 3 if not given")
		->type_name("N")
		->check(range(CCM_LIMIT_MIN, CCM_LIMIT_MAX));
}

CLI::Option &add_timeout(CLI::App &command, auto &timeout)
{
	return *command.add_option("--timeout", timeout,
				   "how long connecting may take, and silence "
				   "if there are no\nheartbeats, in seconds, "
				   "1 to 3600")
			->type_name("SECONDS")
			->check(range(CCM_TIMEOUT_MIN / kMsPerSecond,
				      CCM_TIMEOUT_MAX / kMsPerSecond));
}

CLI::App &add_command(CLI::App &app, const char *name, const char *help)
{
	return *app.add_subcommand(name, help);
}

// CLI11's own check would hide a misspelt command behind a missing one.
void require_command(CLI::App &app)
{
	app.callback([&app] {
		if (app.get_subcommands().empty())
			throw CLI::RequiredError("a command");
	});
}

// "ccmctl node set"
std::string path_of(const CLI::App &app)
{
	std::string path = app.get_name();

	for (const auto *command : app.get_subcommands())
		path += " " + path_of(*command);
	return path;
}

std::string usage_error(const CLI::App *app, const CLI::Error &error)
{
	return "ccmctl: " + std::string(error.what()) +
	       "\nSee: " + path_of(*app) + " --help\n";
}

// --- commands that configure ------------------------------------------------

void define_node(CLI::App &app, Arguments &given)
{
	auto &node = add_command(app, "node", "configure this node");
	require_command(node);

	auto &set = add_command(node, "set",
				"give this node its number and address");
	add_number(set, given, "number of this node");
	add_endpoint(set, given);
	set.add_option("--cluster", given.cluster,
		       "name of the cluster; nodes of others are refused")
		->type_name("NAME")
		->check(cluster_problem);
	add_key(set, given);
	set.callback([&given] { set_node(given.node(), given.key); });

	add_command(node, "show", "show how it is configured")
		.callback([&given] { show_node(given.json); });
	add_command(node, "delete",
		    "say goodbye to all peers, and forget everything")
		.callback(delete_node);
}

void define_peer_add(CLI::App &peer, Arguments &given)
{
	auto &add = add_command(peer, "add", "make another node known");

	add_number(add, given, "number of the other node");
	add_endpoint(add, given);
	add_timeout(add, given.timeout).capture_default_str();
	add_heartbeat(add, given);
	add.callback([&given] { Ccm().add_peer(given.peer()); });
}

void define_peer_set(CLI::App &peer, Arguments &given)
{
	auto &set = add_command(
		peer, "set", "change times of another node, and nothing else");

	add_number(set, given, "number of the other node");
	add_timeout(set, given.new_timeout);
	add_heartbeat(set, given);
	set.callback([&given] { Ccm().set_peer(given.change()); });
}

void define_peer(CLI::App &app, Arguments &given)
{
	auto &peer = add_command(app, "peer", "configure the other nodes");
	require_command(peer);

	define_peer_add(peer, given);
	define_peer_set(peer, given);

	auto &remove = add_command(
		peer, "delete", "say goodbye to another node, and forget it");
	add_number(remove, given, "number of the other node");
	remove.callback([&given] { delete_peer(given.number); });

	add_command(peer, "list", "show how they are configured")
		.callback([&given] { list_peers(given.json); });
}

void define_key(CLI::App &app, Arguments &given)
{
	auto &generate = add_command(
		app, "genkey", "make the key of a new cluster, in a file");
	generate.add_option("FILE", given.file,
			    "file to make; ccm.key here if not given")
		->type_name("")
		->capture_default_str();
	generate.callback([&given] {
		generate_key(given.file.empty() ? kKeyFile : given.file);
	});

	auto &key = add_command(app, "key",
				"change this node's key, for connections to "
				"come");
	add_key(key, given);
	key.callback([&given] { set_key(given.key); });
}

// --- the manager -----------------------------------------------------------

void add_file(CLI::App &command, Arguments &given)
{
	command.add_option("FILE", given.file,
			   "describes the cluster: ccm-cluster.toml(5)")
		->required()
		->type_name("");
}

void define_manage(CLI::App &app, Arguments &given)
{
	auto &command = add_command(
		app, "manage",
		"keep this node connected as a file says, until stopped");

	add_file(command, given);
	command.add_option("--node", given.wanted_node,
			   "which node this is; else its addresses say so")
		->type_name("N")
		->check(range(1, CCM_NODE_MAX));
	command.footer("SIGHUP: read the file again. SIGTERM, SIGINT: end; the "
		       "connections stay.");
	command.callback([&given] { manage(given.file, given.wanted_node); });
}

void define_check(CLI::App &app, Arguments &given)
{
	auto &command = add_command(app, "check",
				    "find the mistakes in a cluster's file");

	add_file(command, given);
	command.add_option("--node", given.which,
			   "node that has to be in it; auto: this machine")
		->type_name("N|auto")
		->check(which_problem);
	command.callback([&given] {
		check_cluster(given.file, given.check(), given.json);
	});
}

// --- commands that start something ------------------------------------------

struct Verb {
	const char *name;
	const char *help;
	const char *wait_help;
	void (*run)(std::uint32_t number, std::optional<double> wait);
};

constexpr auto kVerbs = std::to_array<Verb>({
	{"connect", "start to connect to a node of a higher number",
	 "wait for the connection, this many seconds at most", connect_peer},
	{"listen", "let a node of a lower number connect, until it is closed",
	 "wait for its connection, this many seconds at most", listen_to_peer},
	{"close", "say goodbye to a node, and let it connect no more",
	 "wait for the end of the connection, this many seconds at most",
	 close_peer},
});

void define_verbs(CLI::App &app, Arguments &given)
{
	for (const Verb &verb : kVerbs) {
		auto &command = add_command(app, verb.name, verb.help);
		add_number(command, given, "number of the other node");
		command.add_option("--wait", given.wait, verb.wait_help)
			->type_name("SECONDS")
			->check(range(0.0, kLongestWait));
		command.callback([&] { verb.run(given.number, given.wait); });
	}
}

void define_poke(CLI::App &app, Arguments &given)
{
	auto &poke = add_command(app, "poke",
				 "ask a node of a lower number to connect now");

	add_number(poke, given, "number of the other node");
	poke.callback([&given] { Ccm().poke(given.number); });
}

void define_ping(CLI::App &app, Arguments &given)
{
	constexpr double kShortest = 0.01;
	auto &ping = add_command(app, "ping",
				 "send heartbeats, and time the answers");

	add_number(ping, given, "number of the other node");
	ping.add_option("-c", given.ping.count,
			"how many; without, until it is stopped")
		->type_name("COUNT")
		->check(range(1, 1000000000));
	ping.add_option("-i", given.ping.interval, "seconds between two")
		->type_name("SECONDS")
		->capture_default_str()
		->check(range(kShortest, kLongestWait));
	ping.add_option("-W", given.ping.wait, "seconds to wait for an answer")
		->type_name("SECONDS")
		->capture_default_str()
		->check(range(kShortest, kLongestWait));
	ping.callback(
		[&given] { ping_peer(given.number, given.ping, given.json); });
}

// --- commands that show -----------------------------------------------------

void define_show(CLI::App &app, Arguments &given)
{
	auto &show = add_command(app, "show",
				 "show this node, and the state of its peers");

	add_number(show, given, "show this peer alone", Need::Optional);
	show.footer("FOR: how long it has been in its state.\n"
		    "RTT: round trip of the last heartbeat.\n"
		    "IN, OUT: bytes in messages received and sent.\n"
		    "TO SEND: bytes accepted on this node and not yet sent.\n"
		    "TO TAKE: bytes received that nobody has taken.\n"
		    "WHY: what led to its state.");
	show.add_option("--file", given.cluster_file,
			"where the nodes' names stand")
		->type_name("FILE")
		->capture_default_str();
	show.callback([&given] {
		show_peers(given.number, given.cluster_file, given.json);
	});
}

void define_stats(CLI::App &app, Arguments &given)
{
	auto &stats =
		add_command(app, "stats",
			    "show the counters of this node and of its peers");

	add_number(stats, given, "show this peer alone", Need::Optional);
	stats.callback([&given] { show_stats(given.number, given.json); });
}

void define_consumers(CLI::App &app, Arguments &given)
{
	auto &consumers =
		add_command(app, "consumers",
			    "show the kernel modules that receive messages");

	consumers.footer("MODULE, OWNER: module number, and who has it.\n"
			 "RECEIVERS: threads that wait for a message.\n"
			 "MESSAGES, QUEUED: those nobody has taken yet, and "
			 "their bytes.\n"
			 "LARGEST: bytes in one message, at most.\n"
			 "WINDOW: bytes one peer's messages may take here.");
	consumers.callback([&given] { show_consumers(given.json); });
}

void define_calls(CLI::App &app, Arguments &given)
{
	auto &calls = add_command(
		app, "calls",
		"show the functions that can be called, and the calls under way");

	calls.footer(
		"First the handlers registered here:\n"
		"MODULE, FUNCTION: their numbers.\n"
		"KIND: short (in the listener) or long (on a thread).\n"
		"RUNNING: calls of it that run now.\n"
		"Then the calls:\n"
		"WHAT: short or long if it runs here, in the listener or on "
		"a thread;\n"
		"      queued if it waits for a thread;\n"
		"      awaited if this node waits for its answer.\n"
		"PEER: who called, or who was called if it is awaited.\n"
		"SEQ: the caller's sequence number.\n"
		"AGE: how long ago it came, or was made.");
	calls.callback([&given] { show_calls(given.json); });
}

void define_monitor(CLI::App &app, Arguments &given)
{
	auto &command = add_command(app, "monitor",
				    "show what happens, until it is stopped");

	command.footer("With -j each line is a JSON object.");
	command.callback([&given] { monitor(given.json); });
}

// --- all ----------------------------------------------------------------------

constexpr std::array kCommands = {
	define_manage,	define_check, define_key,	define_node,
	define_peer,	define_verbs, define_poke,	define_ping,
	define_show,	define_stats, define_consumers, define_calls,
	define_monitor,
};

int run(int argc, char **argv)
{
	CLI::App app("configure CCM, which carries messages between kernel "
		     "modules on the nodes of a cluster",
		     "ccmctl");
	Arguments given;

	require_command(app);
	app.failure_message(usage_error);
	app.fallthrough(); // -j may stand anywhere
	app.add_flag("-j,--json", given.json, "print JSON");
	app.footer(kFooter);
	for (const auto define : kCommands)
		define(app, given);
	try {
		app.parse(argc, argv); // and does what it says
	} catch (const CLI::ParseError &error) {
		return app.exit(error) == 0 ? EXIT_SUCCESS : kUsage;
	}
	if (!std::cout.flush())
		throw Failure("cannot write the output");
	return EXIT_SUCCESS;
}

}

}

int main(int argc, char **argv)
{
	try {
		return ccmctl::run(argc, argv);
	} catch (const std::exception &error) {
		std::cerr << "ccmctl: " << error.what() << '\n';
		return EXIT_FAILURE;
	}
}
