// SPDX-License-Identifier: GPL-2.0
#include "cluster.hpp"

#include "failure.hpp"
#include "folder.hpp"
#include "text.hpp"

using namespace ccmctl;

namespace {

const std::string kHead = "cluster = \"demo\"\n"
			  "insecure = true\n";
const std::string kNode = "[[node]]\n"
			  "number = 1\n"
			  "address = \"10.0.0.1\"\n";

// All mistakes, a line each.
std::string mistakes(const std::string &text)
{
	std::string all;

	for (const Mistake &mistake : parse_cluster(text).mistakes)
		all += mistake_text("f", mistake) + "\n";
	return all;
}

std::string node(const std::string &lines)
{
	return mistakes(kHead + kNode + "[[node]]\n" + lines);
}

std::string self_problem(const Cluster &cluster,
			 const std::vector<Endpoint> &addresses)
{
	try {
		find_self(cluster, addresses);
		return "";
	} catch (const Failure &failure) {
		return failure.what();
	}
}

} // namespace

CCM_TEST(cluster, read__takes_all_there_is)
{
	Folder folder;
	const std::string key =
		folder.write("key", std::string(64, '0') + "\n");
	const std::string path =
		folder.write("toml", "cluster = \"demo\"\n"
				     "key = \"" +
					     key +
					     "\"\n"
					     "port = 7500\n"
					     "grace = 2.5\n"
					     "[heartbeat]\n"
					     "interval = 0.25\n"
					     "limit = 5\n"
					     "[reconnect]\n"
					     "first = 1\n"
					     "most = 4.0\n"
					     "attempt = 2\n" +
					     kNode +
					     "[[node]]\n"
					     "number = 1023\n"
					     "name = \"beta\"\n"
					     "address = \"10.0.0.2:7600\"\n");
	const ClusterFile file = read_cluster(path);
	const Cluster &cluster = file.cluster;

	for (const Mistake &mistake : file.mistakes)
		EXPECT_TEXT("", mistake_text(path, mistake));
	EXPECT_TEXT("demo", cluster.name);
	EXPECT_TEXT(key, cluster.key);
	EXPECT(!cluster.insecure);
	EXPECT_EQ(2500, cluster.grace_ms);
	EXPECT_EQ(250, cluster.interval_ms);
	EXPECT_EQ(5, cluster.limit);
	EXPECT_EQ(1000, cluster.first_ms);
	EXPECT_EQ(4000, cluster.most_ms);
	EXPECT_EQ(2000, cluster.attempt_ms);
	REQUIRE_EQ(2, cluster.members.size());
	EXPECT_TEXT("10.0.0.1:7500", endpoint_text(cluster.members[0].address));
	EXPECT_EQ(1023, cluster.members[1].number);
	EXPECT_TEXT("beta", cluster.members[1].name);
	EXPECT_TEXT("10.0.0.2:7600", endpoint_text(cluster.members[1].address));
}

CCM_TEST(cluster, parse__has_defaults)
{
	const Cluster cluster = parse_cluster(kHead + kNode).cluster;

	EXPECT_TEXT("", mistakes(kHead + kNode));
	EXPECT(cluster.insecure);
	EXPECT_EQ(10000, cluster.grace_ms);
	EXPECT_EQ(1000, cluster.interval_ms);
	EXPECT_EQ(3, cluster.limit);
	EXPECT_EQ(100, cluster.first_ms);
	EXPECT_EQ(1000, cluster.most_ms);
	EXPECT_EQ(7403, cluster.members.at(0).address.port);
}

CCM_TEST(cluster, parse__takes_ipv6_with_and_without_port)
{
	const Cluster cluster =
		parse_cluster(kHead + "[[node]]\n"
				      "number = 1\n"
				      "address = \"fd00::1\"\n"
				      "[[node]]\n"
				      "number = 2\n"
				      "address = \"[fd00::2]:7500\"\n"
				      "[[node]]\n"
				      "number = 3\n"
				      "address = \"[fd00::3]\"\n"
				      "[[node]]\n"
				      "number = 4\n"
				      "address = \"fe80::1%lo\"\n")
			.cluster;

	REQUIRE_EQ(4, cluster.members.size());
	EXPECT_TEXT("[fd00::1]:7403",
		    endpoint_text(cluster.members[0].address));
	EXPECT_TEXT("[fd00::2]:7500",
		    endpoint_text(cluster.members[1].address));
	EXPECT_TEXT("[fd00::3]:7403",
		    endpoint_text(cluster.members[2].address));
	EXPECT_TEXT("[fe80::1%lo]:7403",
		    endpoint_text(cluster.members[3].address));
}

CCM_TEST(cluster, mistakes__of_what_is_missing)
{
	EXPECT_TEXT("f: cluster is missing\n"
		    "f: there is neither a key nor insecure = true\n"
		    "f: there is no [[node]]\n",
		    mistakes(""));
	EXPECT_TEXT("f:3: node.number is missing\n"
		    "f:3: node.address is missing\n",
		    mistakes(kHead + "[[node]]\n"));
}

CCM_TEST(cluster, mistakes__of_the_name)
{
	const auto named = [](const std::string &name) {
		return mistakes("insecure = true\ncluster = " + name + "\n" +
				kNode);
	};

	EXPECT_TEXT("", named("\"" + std::string(31, 'a') + "\""));
	EXPECT_TEXT("f:2: cluster has to be 1 to 31 bytes\n",
		    named("\"" + std::string(32, 'a') + "\""));
	EXPECT_TEXT("f:2: cluster has to be 1 to 31 bytes\n", named("\"\""));
	EXPECT_TEXT("f:2: cluster has control characters\n",
		    named("\"a\\nb\""));
	EXPECT_TEXT("f:2: cluster has to be text, in quotation marks\n",
		    named("7"));
}

CCM_TEST(cluster, mistakes__of_keys)
{
	const std::string name = "cluster = \"demo\"\n";

	EXPECT_TEXT("f:2: key: the path 'k' has to begin with /\n"
		    "f:3: key and insecure exclude each other\n",
		    mistakes(name + "key = \"k\"\ninsecure = true\n" + kNode));
	EXPECT_TEXT("f:2: key: cannot read /none: No such file or directory\n",
		    mistakes(name + "key = \"/none\"\n" + kNode));
	EXPECT_TEXT("f: there is neither a key nor insecure = true\n",
		    mistakes(name + "insecure = false\n" + kNode));
	EXPECT_TEXT("f: there is neither a key nor insecure = true\n"
		    "f:2: insecure has to be true or false\n",
		    mistakes(name + "insecure = 1\n" + kNode));
}

CCM_TEST(cluster, mistakes__of_a_key_that_others_can_read)
{
	Folder folder;
	const std::string key =
		folder.write("key", std::string(64, '0') + "\n");

	std::filesystem::permissions(key, std::filesystem::perms::others_read,
				     std::filesystem::perm_options::add);
	EXPECT_TEXT("f:2: key: " + key +
			    " is open to others than its owner: "
			    "chmod 600 " +
			    key + "\n",
		    mistakes("cluster = \"demo\"\nkey = \"" + key + "\"\n" +
			     kNode));
}

CCM_TEST(cluster, mistakes__of_numbers_out_of_range)
{
	EXPECT_TEXT("f:3: port has to be a whole number, 1 to 65535\n"
		    "f:4: grace has to be a number of seconds, 0 to 3600\n"
		    "f:6: heartbeat.interval has to be a number of seconds, "
		    "0.1 to 3600\n"
		    "f:7: heartbeat.limit has to be a whole number, 2 to 100\n"
		    "f:9: reconnect.first has to be a number of seconds, 0.01 "
		    "to 3600\n"
		    "f:10: reconnect.attempt has to be a number of seconds, 1 "
		    "to 3600\n",
		    mistakes(kHead +
			     "port = 0\n"
			     "grace = 3601\n"
			     "[heartbeat]\n"
			     "interval = 0.09\n"
			     "limit = 1\n"
			     "[reconnect]\n"
			     "first = nan\n"
			     "attempt = 0.5\n" +
			     kNode));
	EXPECT_TEXT("f:5: reconnect.most is less than reconnect.first\n",
		    mistakes(kHead +
			     "[reconnect]\n"
			     "first = 0.5\n"
			     "most = 0.4\n" +
			     kNode));
}

CCM_TEST(cluster, mistakes__of_types)
{
	EXPECT_TEXT("f:3: port has to be a whole number, 1 to 65535\n"
		    "f:4: grace has to be a number of seconds, 0 to 3600\n"
		    "f:5: heartbeat has to be a table: [heartbeat]\n"
		    "f:6: reconnect has to be a table: [reconnect]\n",
		    mistakes(kHead +
			     "port = 7403.0\n"
			     "grace = \"long\"\n"
			     "heartbeat = 3\n"
			     "reconnect = true\n" +
			     kNode));
	EXPECT_TEXT("f:3: node has to be a list of tables: [[node]]\n",
		    mistakes(kHead + "node = 3\n"));
	EXPECT_TEXT("f:3: node has to be a table: [[node]]\n",
		    mistakes(kHead + "node = [ 3 ]\n"));
}

CCM_TEST(cluster, mistakes__of_unknown_keys)
{
	EXPECT_TEXT("f:3: there is no key colour\n"
		    "f:5: there is no key heartbeat.beat\n"
		    "f:7: there is no key reconnect.last\n"
		    "f:11: there is no key node.adress\n",
		    mistakes(kHead +
			     "colour = \"red\"\n"
			     "[heartbeat]\n"
			     "beat = 1\n"
			     "[reconnect]\n"
			     "last = 1\n" +
			     kNode + "adress = \"10.0.0.1\"\n"));
}

CCM_TEST(cluster, mistakes__of_nodes)
{
	EXPECT_TEXT("f:7: node.number has to be a whole number, 1 to 1023\n",
		    node("number = 1024\naddress = \"10.0.0.2\"\n"));
	EXPECT_TEXT("f:7: node.number: 1 stands on line 4 already\n",
		    node("number = 1\naddress = \"10.0.0.2\"\n"));
	EXPECT_TEXT("f:8: node.address: 10.0.0.1:7403 stands on line 5 "
		    "already\n",
		    node("number = 2\naddress = \"10.0.0.1\"\n"));
	EXPECT_TEXT("f:8: node.address: the nodes above have the other IP "
		    "version\n",
		    node("number = 2\naddress = \"fd00::1\"\n"));
	EXPECT_TEXT("f:8: node.address: 'alpha' is no IPv4 or IPv6 address\n",
		    node("number = 2\naddress = \"alpha\"\n"));
	EXPECT_TEXT("f:8: node.address: '10.0.0.2:0' has no port, 1 to 65535, "
		    "behind its last colon\n",
		    node("number = 2\naddress = \"10.0.0.2:0\"\n"));
	EXPECT_TEXT("f:8: node.address: there is no interface 'none' here; "
		    "see: ip link\n",
		    node("number = 2\naddress = \"fe80::1%none\"\n"));
	EXPECT_TEXT("f:8: node.address: 0.0.0.0 is no address of one machine\n",
		    node("number = 2\naddress = \"0.0.0.0\"\n"));
	EXPECT_TEXT("f:9: node.name has to be text, in quotation marks\n",
		    node("number = 2\naddress = \"10.0.0.2\"\nname = 2\n"));
}

CCM_TEST(cluster, mistakes__of_names_twice)
{
	EXPECT_TEXT("f:10: the name 'x' stands on line 6 already\n",
		    mistakes(kHead + kNode +
			     "name = \"x\"\n"
			     "[[node]]\n"
			     "number = 2\n"
			     "address = \"10.0.0.2\"\n"
			     "name = \"x\"\n"));
}

CCM_TEST(cluster, mistakes__of_syntax)
{
	EXPECT_TEXT("f:3: this is no TOML: unknown value appeared\n",
		    mistakes(kHead + "port = = 3\n"));
	EXPECT_TEXT(
		"f:3: this is no TOML: value (\"cluster\") already exists\n",
		mistakes(kHead + "cluster = \"again\"\n"));
}

CCM_TEST(cluster, read__of_what_is_no_file)
{
	Folder folder;
	const auto problem = [&](const std::string &path) {
		return mistake_text("f", read_cluster(path).mistakes.at(0));
	};

	EXPECT_TEXT("f: cannot read it: No such file or directory",
		    problem(folder.path("none")));
	EXPECT_TEXT("f: cannot read it: Is a directory",
		    problem(folder.path("")));
	EXPECT_TEXT("f: it is larger than 1.0 MiB", problem("/dev/zero"));
}

CCM_TEST(cluster, find_self__by_address)
{
	const Cluster cluster = parse_cluster(kHead + kNode +
					      "[[node]]\n"
					      "number = 2\n"
					      "address = \"10.0.0.2:7500\"\n")
					.cluster;
	const Endpoint other = parse_endpoint("10.0.0.9", 0);
	const Endpoint one = parse_endpoint("10.0.0.1", 0);
	const Endpoint two = parse_endpoint("10.0.0.2", 0);

	EXPECT_EQ(2, find_self(cluster, {other, two}));
	EXPECT(self_problem(cluster, {other}).find("of no node") !=
	       std::string::npos);
	EXPECT(self_problem(cluster, {one, two}).find("node 1 and of node 2") !=
	       std::string::npos);
}
