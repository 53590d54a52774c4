/* Which paths something on the host may run later: a hint for people, never a wall. */
#include <string.h>
#include <strings.h>

#include "supervisor/link/effects.h"

/* Everything in such a folder, and the folder itself. */
static const char *const folders[] = {
    ".aider",
    ".amazonq",
    ".ansible",
    ".aws",
    ".azure-pipelines",
    ".buildkite",
    ".builds",
    ".bundle",
    ".cargo",
    ".circleci",
    ".claude",
    ".codex",
    ".config/autostart",
    ".config/environment.d",
    ".config/fish",
    ".config/git",
    ".config/helix",
    ".config/nvim",
    ".config/opencode",
    ".config/systemd",
    ".continue",
    ".cursor",
    ".devbox",
    ".devcontainer",
    ".direnv",
    ".docker",
    ".emacs.d",
    ".fleet",
    ".forgejo",
    ".gemini",
    ".gitea",
    ".githooks",
    ".github/actions",
    ".github/chatmodes",
    ".github/instructions",
    ".github/prompts",
    ".github/workflows",
    ".gitlab",
    ".gradle",
    ".helix",
    ".hg",
    ".husky",
    ".idea",
    ".jj",
    ".kiro",
    ".kube",
    ".local/bin",
    ".local/share/applications",
    ".m2",
    ".mise",
    ".mvn",
    ".nova",
    ".opencode",
    ".qwen",
    ".roo",
    ".semaphore",
    ".shadowenv.d",
    ".sl",
    ".ssh",
    ".terraform",
    ".venv",
    ".vim",
    ".vs",
    ".vscode",
    ".windsurf",
    ".woodpecker",
    ".yarn",
    ".zed",
    ".zuul.d",
    "__pycache__",
    "gradle/wrapper",
    "node_modules",
    "rakelib",
};

/* The last name of a path. */
static const char *const names[] = {
    ".aider.conf.yml",
    ".appveyor.yml",
    ".autoenv",
    ".autoenv.zsh",
    ".babelrc",
    ".bash_aliases",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".bazelrc",
    ".buckconfig",
    ".build.yml",
    ".ccls",
    ".cirrus.yml",
    ".clangd",
    ".clinerules",
    ".commitlintrc",
    ".condarc",
    ".coveragerc",
    ".cshrc",
    ".curlrc",
    ".cursorrules",
    ".devcontainer.json",
    ".dir-locals-2.el",
    ".dir-locals.el",
    ".drone.yaml",
    ".drone.yml",
    ".emacs",
    ".env",
    ".envrc",
    ".eslintrc",
    ".exrc",
    ".flake8",
    ".forward",
    ".gdbinit",
    ".ghci",
    ".git",
    ".gitattributes",
    ".gitconfig",
    ".gitlab-ci.yaml",
    ".gitlab-ci.yml",
    ".gitmodules",
    ".golangci.yaml",
    ".golangci.yml",
    ".goreleaser.yaml",
    ".goreleaser.yml",
    ".guile",
    ".hgrc",
    ".htaccess",
    ".huskyrc",
    ".inputrc",
    ".irbrc",
    ".jshellrc",
    ".jshintrc",
    ".justfile",
    ".jvmopts",
    ".kshrc",
    ".lefthook.yml",
    ".lfsconfig",
    ".lintstagedrc",
    ".lldbinit",
    ".localrc",
    ".login",
    ".lvimrc",
    ".mailcap",
    ".mcp.json",
    ".mise.local.toml",
    ".mise.toml",
    ".mocharc",
    ".my.cnf",
    ".npmrc",
    ".nvim.lua",
    ".nvimrc",
    ".ocamlinit",
    ".octaverc",
    ".overcommit.yml",
    ".pam_environment",
    ".pdbrc",
    ".pnp.cjs",
    ".pnpmfile.cjs",
    ".pre-commit-config.yaml",
    ".pre-commit-config.yml",
    ".prettierrc",
    ".procmailrc",
    ".profile",
    ".projectile",
    ".pryrc",
    ".psqlrc",
    ".pylintrc",
    ".pythonrc",
    ".pythonrc.py",
    ".pythonstartup",
    ".renviron",
    ".rprofile",
    ".rspec",
    ".rtx.toml",
    ".rubocop.yml",
    ".sbclrc",
    ".sbtopts",
    ".screenrc",
    ".sdkmanrc",
    ".sqliterc",
    ".stylelintrc",
    ".swcrc",
    ".tcshrc",
    ".terraformrc",
    ".tmux.conf",
    ".tool-versions",
    ".travis.yaml",
    ".travis.yml",
    ".user.ini",
    ".vimrc",
    ".windsurfrules",
    ".woodpecker.yaml",
    ".woodpecker.yml",
    ".xinitrc",
    ".xprofile",
    ".xsession",
    ".xsessionrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".ycm_extra_conf.py",
    ".zlogin",
    ".zlogout",
    ".zprofile",
    ".zshenv",
    ".zshrc",
    ".zuul.yaml",
    "agents.md",
    "ansible.cfg",
    "appveyor.yml",
    "artisan",
    "autogen.sh",
    "azure-pipelines.yaml",
    "azure-pipelines.yml",
    "berksfile",
    "bitbucket-pipelines.yaml",
    "bitbucket-pipelines.yml",
    "bower.json",
    "brewfile",
    "build.bazel",
    "build.gradle",
    "build.gradle.kts",
    "build.ninja",
    "build.rs",
    "build.sbt",
    "build.xml",
    "build.zig",
    "buildfile",
    "buildspec.yml",
    "bunfig.toml",
    "cakefile",
    "callgate.yaml",
    "capfile",
    "cargo.toml",
    "claude.md",
    "cloudbuild.yaml",
    "cmakelists.txt",
    "cmakepresets.json",
    "cmakeuserpresets.json",
    "codefresh.yml",
    "compile_commands.json",
    "compose.override.yaml",
    "compose.override.yml",
    "compose.yaml",
    "compose.yml",
    "composer.json",
    "conanfile.py",
    "conanfile.txt",
    "config.ru",
    "config.status",
    "configure",
    "configure.ac",
    "configure.in",
    "conftest.py",
    "containerfile",
    "crontab",
    "dangerfile",
    "default.nix",
    "deno.json",
    "deno.jsonc",
    "deps.edn",
    "devbox.json",
    "devenv.nix",
    "directory.build.props",
    "directory.build.targets",
    "docker-bake.hcl",
    "docker-compose.yaml",
    "docker-compose.yml",
    "dockerfile",
    "dodo.py",
    "dune",
    "dune-project",
    "earthfile",
    "fabfile.py",
    "fastfile",
    "flake.nix",
    "gemfile",
    "gemini.md",
    "git-rebase-todo",
    "global.json",
    "gnumakefile",
    "go.work",
    "gradle.properties",
    "gradlew",
    "gruntfile.js",
    "guardfile",
    "gulpfile.js",
    "hatch_build.py",
    "init.gradle",
    "jakefile",
    "jenkinsfile",
    "justfile",
    "lefthook.yml",
    "lerna.json",
    "lombok.config",
    "magefile.go",
    "makefile",
    "manage.py",
    "meson.build",
    "mise.local.toml",
    "mise.toml",
    "mix.exs",
    "module.bazel",
    "mvnw",
    "mypy.ini",
    "noxfile.py",
    "nuget.config",
    "nx.json",
    "opencode.json",
    "package.json",
    "package.yaml",
    "phpunit.xml",
    "phpunit.xml.dist",
    "pipfile",
    "pixi.toml",
    "pnpm-workspace.yaml",
    "pnpmfile.js",
    "podfile",
    "poetry.toml",
    "pom.xml",
    "premake5.lua",
    "procfile",
    "project.clj",
    "project.json",
    "pulumi.yaml",
    "pylintrc",
    "pyproject.toml",
    "pytest.ini",
    "rakefile",
    "rebar.config",
    "renovate.json",
    "requirements.txt",
    "rust-toolchain",
    "rust-toolchain.toml",
    "sconscript",
    "sconstruct",
    "serverless.yml",
    "settings.gradle",
    "settings.gradle.kts",
    "setup.cfg",
    "setup.py",
    "shell.nix",
    "sitecustomize.py",
    "skaffold.yaml",
    "stack.yaml",
    "taskfile.yaml",
    "taskfile.yml",
    "tasks.py",
    "terragrunt.hcl",
    "tiltfile",
    "tox.ini",
    "tsconfig.json",
    "turbo.json",
    "usercustomize.py",
    "uv.toml",
    "vagrantfile",
    "webpack.mix.js",
    "wercker.yml",
    "workspace.bazel",
    "workspace.bzlmod",
    "wscript",
    "xmake.lua",
};

static const char *const endings[] = {
    ".bzl",
    ".cabal",
    ".cmake",
    ".code-workspace",
    ".conf.cjs",
    ".conf.js",
    ".conf.ts",
    ".config.cjs",
    ".config.cts",
    ".config.js",
    ".config.mjs",
    ".config.mts",
    ".config.ts",
    ".csproj",
    ".desktop",
    ".dockerfile",
    ".fsproj",
    ".gemspec",
    ".gradle",
    ".gradle.kts",
    ".gyp",
    ".gypi",
    ".just",
    ".m4",
    ".mak",
    ".make",
    ".mk",
    ".mount",
    ".ninja",
    ".nix",
    ".opam",
    ".pbxproj",
    ".props",
    ".pth",
    ".pyc",
    ".rockspec",
    ".sbt",
    ".service",
    ".socket",
    ".sublime-project",
    ".targets",
    ".tf",
    ".timer",
    ".vbproj",
    ".vcxproj",
    ".xcconfig",
};

/* The last name begins so, and goes on: .env.local, Dockerfile.test. */
static const char *const beginnings[] = {
    ".babelrc.",
    ".commitlintrc.",
    ".env.",
    ".envrc.",
    ".eslintrc.",
    ".lintstagedrc.",
    ".mocharc.",
    ".prettierrc.",
    ".stylelintrc.",
    "containerfile.",
    "docker-compose.",
    "dockerfile.",
    "gulpfile.",
    "gruntfile.",
    "jenkinsfile.",
    "makefile.",
    "requirements-",
    "taskfile.",
    "tsconfig.",
};

/* By case: in small letters these are folders of everybody's. */
static const char *const exactly[] = {
    "BUCK",
    "BUILD",
    "WORKSPACE",
};

/* Where core.hooksPath leads nobody knows; these names are git's in every folder. */
static const char *const hooks[] = {
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "p4-pre-submit",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
};

/* Within .git: what git runs, or reads for what to run. Also of its modules and worktrees, and of a
 * repository without .git (core.bare), which git takes for one wherever it stands. */
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

/* What stands behind the name of a repository, NULL where at is none: .git/ or NAME.git/. */
static const char *in_repository(const char *at)
{
	const char *slash = strchr(at, '/');

	return slash && slash - at >= 4 && !strncasecmp(slash - 4, ".git", 4) ? slash + 1 : NULL;
}

/* at: a name in the path and what stands behind it. */
static bool begins_folder(const char *at)
{
	const char *below = in_repository(at);

	if (below && git_runs(below))
		return true;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t len = strlen(folders[i]);

		if (!strncasecmp(at, folders[i], len) && (at[len] == '/' || !at[len]))
			return true;
	}
	return false;
}

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(name, list[i]))
			return true;
	return false;
}

static bool is_named(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(exactly) / sizeof(*exactly); i++)
		if (!strcmp(name, exactly[i]))
			return true;
	if (is_one_of(name, names, sizeof(names) / sizeof(*names)) ||
	    is_one_of(name, hooks, sizeof(hooks) / sizeof(*hooks)))
		return true;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		size_t begin = strlen(beginnings[i]);

		if (len > begin && !strncasecmp(name, beginnings[i], begin))
			return true;
	}
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
	bool within = false; /* a repository */

	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		name = at;
		if (begins_folder(at))
			return true;
		within = within || in_repository(at);
	}
	/* A folder with this file, objects and refs is a repository to git, config and all. */
	return is_named(name) || (!within && !strcmp(name, "HEAD"));
}
