/* Which paths something on the host may run later: a hint for people, never a wall. */
#include <string.h>
#include <strings.h>

#include "supervisor/link/effects.h"

/* Everything in such a folder, and the folder itself. */
static const char *const folders[] = {
    ".buildkite",
    ".cargo",
    ".circleci",
    ".claude",
    ".codex",
    ".config/autostart",
    ".config/fish",
    ".config/systemd",
    ".cursor",
    ".devcontainer",
    ".direnv",
    ".fleet",
    ".gemini",
    ".githooks",
    ".github/actions",
    ".github/workflows",
    ".gitlab",
    ".husky",
    ".idea",
    ".mvn",
    ".ssh",
    ".vim",
    ".vscode",
    ".yarn",
    ".zed",
};

/* The last name of a path. */
static const char *const names[] = {
    ".bash_aliases",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".bazelrc",
    ".cshrc",
    ".dir-locals.el",
    ".drone.yml",
    ".emacs",
    ".envrc",
    ".exrc",
    ".gdbinit",
    ".git",
    ".gitattributes",
    ".gitconfig",
    ".gitlab-ci.yml",
    ".gitmodules",
    ".irbrc",
    ".kshrc",
    ".lldbinit",
    ".login",
    ".lvimrc",
    ".mcp.json",
    ".mise.toml",
    ".npmrc",
    ".nvimrc",
    ".nvim.lua",
    ".pnp.cjs",
    ".pre-commit-config.yaml",
    ".profile",
    ".rprofile",
    ".tcshrc",
    ".tmux.conf",
    ".travis.yml",
    ".vimrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".zlogin",
    ".zprofile",
    ".zshenv",
    ".zshrc",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "build.bazel",
    "build.gradle",
    "build.gradle.kts",
    "build.ninja",
    "build.rs",
    "callgate.yaml",
    "cargo.toml",
    "cmakelists.txt",
    "composer.json",
    "compose.yaml",
    "compose.yml",
    "configure",
    "conftest.py",
    "docker-compose.yaml",
    "docker-compose.yml",
    "dockerfile",
    "gemfile",
    "gnumakefile",
    "gradlew",
    "jenkinsfile",
    "justfile",
    "makefile",
    "meson.build",
    "mise.toml",
    "mvnw",
    "noxfile.py",
    "package.json",
    "pom.xml",
    "procfile",
    "pyproject.toml",
    "rakefile",
    "settings.gradle",
    "settings.gradle.kts",
    "setup.cfg",
    "setup.py",
    "sitecustomize.py",
    "taskfile.yaml",
    "taskfile.yml",
    "tox.ini",
    "usercustomize.py",
    "vagrantfile",
    "workspace.bazel",
};

static const char *const endings[] = {
    ".bzl",
    ".cmake",
    ".code-workspace",
    ".mak",
    ".mk",
    ".pth",
    ".service",
    ".timer",
};

/* Within .git: what git runs, or reads for what to run. Also of its modules and worktrees. */
static bool git_runs(const char *below)
{
	const char *last = strrchr(below, '/');

	last = last ? last + 1 : below;
	if (!strcasecmp(last, "config") || !strcasecmp(last, "config.worktree") ||
	    !strcasecmp(last, "attributes") || !strcasecmp(last, "commondir") ||
	    !strcasecmp(last, "gitdir"))
		return true;
	for (const char *at = below; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (!strncasecmp(at, "hooks", 5) && (at[5] == '/' || !at[5]))
			return true;
	}
	return false;
}

/* at: a name in the path and what stands behind it. */
static bool begins_folder(const char *at)
{
	if (!strncasecmp(at, ".git/", 5) && git_runs(at + 5))
		return true;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t len = strlen(folders[i]);

		if (!strncasecmp(at, folders[i], len) && (at[len] == '/' || !at[len]))
			return true;
	}
	return false;
}

static bool is_named(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t end = strlen(endings[i]);

		if (len >= end && !strcasecmp(name + len - end, endings[i]))
			return true;
	}
	return false;
}

bool effects_runs_later(const char *path)
{
	const char *name = path;

	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		name = at;
		if (begins_folder(at))
			return true;
	}
	return is_named(name);
}
