// SPDX-License-Identifier: GPL-2.0
// BPF programs of a cgroup that meddle with sockets, as those of service meshes do.
//
//	bpf attach WHAT CGROUP [COUNTS]	from now on, for all sockets of this cgroup
//	bpf detach WHAT CGROUP		no longer
//	bpf counts COUNTS		how many sockets have been taken over, and how
//					many could not be
//
// WHAT is
//	sockmap-passive, -active, -listen	put sockets that are accepted, that have
//						connected, or that listen into a sockmap
//	sockhash-passive, ...			into a sockhash
//	verdict-passive, ...			into a sockmap that reads what comes, too
//	ingress					drop what comes
//	bind, connect				refuse that
//	getpeername				say that the other end is 192.0.2.1
//
// COUNTS is a file in a BPF file system. Programs stay attached when this one ends.
// It is plain bpf(2), so that no library has to be in the guest.
#include <linux/bpf.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Program = std::vector<bpf_insn>;

[[noreturn]] void die(const char *what)
{
	std::fprintf(stderr, "bpf: %s: %s\n", what, std::strerror(errno));
	std::exit(1);
}

// The kernel's own words for why it refuses a program.
char verifier_log[65536];

int bpf(bpf_cmd what, bpf_attr &attr, const char *words)
{
	long result = syscall(SYS_bpf, what, &attr, sizeof(attr));

	if (result >= 0)
		return static_cast<int>(result);
	std::fputs(verifier_log, stderr);
	die(words);
}

std::uint64_t pointer(const void *to)
{
	return reinterpret_cast<std::uintptr_t>(to);
}

// --- instructions ----------------------------------------------------------------

bpf_insn insn(int code, int to, int from, int offset, int value)
{
	bpf_insn made{};

	made.code = static_cast<__u8>(code);
	made.dst_reg = to & 15;
	made.src_reg = from & 15;
	made.off = static_cast<__s16>(offset);
	made.imm = value;
	return made;
}

bpf_insn set(int to, int value)
{
	return insn(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

bpf_insn copy(int to, int from)
{
	return insn(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

bpf_insn add(int to, int value)
{
	return insn(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value);
}

bpf_insn load(int to, int from, std::size_t offset)
{
	return insn(BPF_LDX | BPF_MEM | BPF_W, to, from,
		    static_cast<int>(offset), 0);
}

bpf_insn store(int to, int offset, int from)
{
	return insn(BPF_STX | BPF_MEM | BPF_W, to, from, offset, 0);
}

bpf_insn jump_if(int code, int reg, int value, int over)
{
	return insn(BPF_JMP | code | BPF_K, reg, 0, over, value);
}

bpf_insn call(int helper)
{
	return insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void load_map(Program &program, int reg, int map)
{
	program.push_back(insn(BPF_LD | BPF_DW | BPF_IMM, reg,
			       BPF_PSEUDO_MAP_FD, 0, map));
	program.push_back(insn(0, 0, 0, 0, 0));
}

void leave(Program &program, int result)
{
	program.push_back(set(0, result));
	program.push_back(insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

// --- programs --------------------------------------------------------------------

int make_map(bpf_map_type type, unsigned int value_size, unsigned int entries)
{
	bpf_attr attr{};

	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = entries;
	return bpf(BPF_MAP_CREATE, attr, "cannot make a map");
}

int load_program(bpf_prog_type type, bpf_attach_type attach,
		 const Program &program)
{
	bpf_attr attr{};

	attr.prog_type = type;
	attr.expected_attach_type = attach;
	attr.insns = pointer(program.data());
	attr.insn_cnt = static_cast<__u32>(program.size());
	attr.license = pointer("GPL");
	attr.log_buf = pointer(verifier_log);
	attr.log_size = sizeof(verifier_log);
	attr.log_level = 1;
	return bpf(BPF_PROG_LOAD, attr, "cannot load the program");
}

void attach(int program, int to, bpf_attach_type type)
{
	bpf_attr attr{};

	attr.target_fd = static_cast<__u32>(to);
	attr.attach_bpf_fd = static_cast<__u32>(program);
	attr.attach_type = type;
	bpf(BPF_PROG_ATTACH, attr, "cannot attach the program");
}

constexpr unsigned int kSockets = 64; // that a map of them holds

// What a map of sockets does with what comes for them.
void read_what_comes(int map)
{
	Program pass;

	leave(pass, SK_PASS);
	attach(load_program(BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_VERDICT,
			    pass),
	       map, BPF_SK_SKB_STREAM_VERDICT);
}

// One more that went well (0 in register 0), or that did not.
void count_result(Program &program, int counts)
{
	program.push_back(set(7, 0));
	program.push_back(jump_if(BPF_JEQ, 0, 0, 1));
	program.push_back(set(7, 1));
	program.push_back(store(10, -8, 7));
	load_map(program, 1, counts);
	program.push_back(copy(2, 10));
	program.push_back(add(2, -8));
	program.push_back(call(BPF_FUNC_map_lookup_elem));
	program.push_back(jump_if(BPF_JEQ, 0, 0, 2));
	program.push_back(set(1, 1));
	program.push_back(
		insn(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 1, 0, BPF_ADD));
}

// Each socket that comes to this is put into the map, by its peer's port; counts
// has how often that went well, and how often not.
Program take_over(int op, int map, bool hash, int counts)
{
	Program program{copy(6, 1), load(2, 6, offsetof(bpf_sock_ops, op))};
	std::size_t skip = program.size();

	program.push_back({});
	program.push_back(load(2, 6, offsetof(bpf_sock_ops, remote_port)));
	// In network order, in the upper half: the lowest bits of the port.
	program.push_back(insn(BPF_ALU64 | BPF_RSH | BPF_K, 2, 0, 0, 24));
	program.push_back(
		insn(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, kSockets - 1));
	program.push_back(store(10, -4, 2));
	program.push_back(copy(1, 6));
	load_map(program, 2, map);
	program.push_back(copy(3, 10));
	program.push_back(add(3, -4));
	program.push_back(set(4, BPF_ANY));
	program.push_back(call(hash ? BPF_FUNC_sock_hash_update
				    : BPF_FUNC_sock_map_update));
	count_result(program, counts);
	program[skip] = jump_if(BPF_JNE, 2, op,
				static_cast<int>(program.size() - skip) - 1);
	leave(program, 1);
	return program;
}

void pin(int map, const char *path)
{
	bpf_attr attr{};

	attr.pathname = pointer(path);
	attr.bpf_fd = static_cast<__u32>(map);
	bpf(BPF_OBJ_PIN, attr, "cannot pin the counts");
}

int op_of(std::string_view when)
{
	if (when == "passive")
		return BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB;
	if (when == "active")
		return BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB;
	if (when == "listen")
		return BPF_SOCK_OPS_TCP_LISTEN_CB;
	errno = EINVAL;
	die("no such moment");
}

void attach_map(int cgroup, std::string_view what, std::size_t dash,
		const char *path)
{
	bool hash = what.substr(0, dash) == "sockhash";
	int counts = make_map(BPF_MAP_TYPE_ARRAY, 8, 2);
	int map = make_map(hash ? BPF_MAP_TYPE_SOCKHASH : BPF_MAP_TYPE_SOCKMAP,
			   4, kSockets);

	if (what.substr(0, dash) == "verdict")
		read_what_comes(map);
	pin(counts, path);
	attach(load_program(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS,
			    take_over(op_of(what.substr(dash + 1)), map, hash,
				      counts)),
	       cgroup, BPF_CGROUP_SOCK_OPS);
}

void attach_refusal(int cgroup, bpf_prog_type type, bpf_attach_type attach_to)
{
	Program refuse;

	leave(refuse, 0);
	attach(load_program(type, attach_to, refuse), cgroup, attach_to);
}

void attach_lie(int cgroup)
{
	Program lie{set(2, static_cast<int>(htonl(0xc0000201))),
		    store(1, offsetof(bpf_sock_addr, user_ip4), 2)};

	leave(lie, 1);
	attach(load_program(BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
			    BPF_CGROUP_INET4_GETPEERNAME, lie),
	       cgroup, BPF_CGROUP_INET4_GETPEERNAME);
}

// --- commands --------------------------------------------------------------------

bpf_attach_type place_of(std::string_view what)
{
	if (what == "ingress")
		return BPF_CGROUP_INET_INGRESS;
	if (what == "bind")
		return BPF_CGROUP_INET4_BIND;
	if (what == "connect")
		return BPF_CGROUP_INET4_CONNECT;
	if (what == "getpeername")
		return BPF_CGROUP_INET4_GETPEERNAME;
	if (what.find('-') != what.npos)
		return BPF_CGROUP_SOCK_OPS;
	errno = EINVAL;
	die("no such program");
}

void attach(std::string_view what, int cgroup, const char *path)
{
	bpf_attach_type place = place_of(what);

	if (place == BPF_CGROUP_SOCK_OPS)
		attach_map(cgroup, what, what.find('-'), path);
	else if (place == BPF_CGROUP_INET4_GETPEERNAME)
		attach_lie(cgroup);
	else if (place == BPF_CGROUP_INET_INGRESS)
		attach_refusal(cgroup, BPF_PROG_TYPE_CGROUP_SKB, place);
	else
		attach_refusal(cgroup, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, place);
}

void detach(std::string_view what, int cgroup)
{
	bpf_attr attr{};

	attr.target_fd = static_cast<__u32>(cgroup);
	attr.attach_type = place_of(what);
	bpf(BPF_PROG_DETACH, attr, "cannot detach the program");
}

std::uint64_t count(int map, std::uint32_t key)
{
	std::uint64_t value = 0;
	bpf_attr attr{};

	attr.map_fd = static_cast<__u32>(map);
	attr.key = pointer(&key);
	attr.value = pointer(&value);
	bpf(BPF_MAP_LOOKUP_ELEM, attr, "cannot read the counts");
	return value;
}

void show_counts(const char *path)
{
	bpf_attr attr{};

	attr.pathname = pointer(path);
	int map = bpf(BPF_OBJ_GET, attr, "cannot open the counts");
	std::printf("taken %llu refused %llu\n",
		    static_cast<unsigned long long>(count(map, 0)),
		    static_cast<unsigned long long>(count(map, 1)));
}

int open_cgroup(const char *path)
{
	int cgroup = open(path, O_RDONLY | O_DIRECTORY);

	if (cgroup < 0)
		die(path);
	return cgroup;
}

} // namespace

int main(int argc, char **argv)
{
	std::string_view command = argc > 2 ? argv[1] : "";

	if (command == "attach" && (argc == 4 || argc == 5))
		attach(argv[2], open_cgroup(argv[3]), argc == 5 ? argv[4] : "");
	else if (command == "detach" && argc == 4)
		detach(argv[2], open_cgroup(argv[3]));
	else if (command == "counts" && argc == 3)
		show_counts(argv[2]);
	else {
		std::fputs("usage: see the head of bpf.cpp\n", stderr);
		return 2;
	}
	return 0;
}
