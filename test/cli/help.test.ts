/** The help of lxcv and of each command, as it is shown on a terminal of 80 columns. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CommandShape } from '../../src/cli/command-shape.js';
import { renderHelp, renderOverview } from '../../src/cli/help.js';
import { COMMANDS } from '../../src/program.js';
import { displayWidth } from '../../src/render/width.js';

const SHAPES: Record<string, CommandShape> = {};
for (const [name, load] of Object.entries(COMMANDS)) SHAPES[name] = (await load()).default;

describe('help', () => {
  it.each([40, 80, 200])('is no wider than a terminal of %i columns, but for examples and usage', (columns) => {
    const helps = Object.entries(SHAPES).map(([name, shape]) => renderHelp(name, shape, columns));
    for (const line of [renderOverview(SHAPES, columns), ...helps].join('\n').split('\n')) {
      if (!/^ *(\$|\[)/.test(line)) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('has a summary of every command, and a word on every flag and argument', () => {
    for (const { summary, args, flags } of Object.values(SHAPES)) {
      expect(summary).toMatch(/\.$/);
      for (const { description } of Object.values(args)) expect(description).toMatch(/\S/);
      for (const { summary: text } of Object.values(flags)) expect(text).toMatch(/\.$/);
    }
  });

  it('is looked at below for every command', () => {
    const source = readFileSync(new URL(import.meta.url), 'utf8');
    expect(Object.keys(COMMANDS).filter((name) => !source.includes(`helpOf('${name}')`))).toEqual([]);
  });

  it('of lxcv', () => {
    expect(renderOverview(SHAPES, 80)).toMatchInlineSnapshot(`
      "Git for LXC containers: make some changes, commit, make some more, commit, go
      back.

      USAGE
        lxcv COMMAND [-P DIR] [--json] ...

      COMMANDS
        blame     Show which version introduced each line of a text.
        branch    List, create, rename or delete branches.
        checkout  Make a container from a version, or switch one to it in place.
        commit    Make a version of what a container holds.
        diff      Show what differs between two versions, or a version and what a
                  container holds now.
        export    Write the whole root file system of a version to a tarball.
        fsck      Verify the store.
        grep      Show the lines of the texts in versions that match a pattern.
        list      Show which containers have versions.
        log       Show the versions that led to where a container is.
        mount     Mount a version on a directory, read-only.
        show      Show a version, or a file or directory in one.
        status    Show what changed in a container since its last version.
        tag       List, create or delete tags.
        umount    Unmount what lxcv mount has mounted.

      BEGIN WITH
        lxcv commit NAME   Make the first version of a container.
        lxcv log NAME      Show its versions.
        lxcv help COMMAND  Show the help of a command.

      REVISIONS
        NAME[@REV] names a version. NAME is a container or, failing that, a
        repository; REV a number, a branch, a tag, an id or its unique prefix, or HEAD
        (the default), with ~N and ^N as in git. Where something is only looked at,
        NAME@WORK is what a container holds now.

      SHORT FORMS
        annotate for blame, br for branch, ci for commit, co for checkout, ls for
        list, st for status, unmount for umount."
    `);
  });

  it('of lxcv blame', () => {
    expect(helpOf('blame')).toMatchInlineSnapshot(`
      "Show which version introduced each line of a text.

      USAGE
        lxcv blame REVISION PATH

      ARGUMENTS
        REVISION  NAME[@REV]: where to begin.
        PATH      The file, from the root of the container.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git blame. A renamed file begins anew. Of NAME@WORK, lines that are not
        committed yet are shown too.

      SHORT FORMS
        lxcv annotate

      EXAMPLES
        $ lxcv blame mysql /etc/mysql/my.cnf
        $ lxcv blame mysql@WORK /etc/hosts

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });

  it('of lxcv branch', () => {
    expect(helpOf('branch')).toMatchInlineSnapshot(`
      "List, create, rename or delete branches.

      USAGE
        lxcv branch [-m | -d | -D] NAME [BRANCH] [WHERE]

      ARGUMENTS
        NAME    The container or repository.
        BRANCH  The branch to create, rename or delete.
        WHERE   Where the branch begins, NAME[@REV] (default: HEAD); with --move, its
                new name.

      OPTIONS
        -m, --move          Rename a branch.
        -d, --delete        Delete a branch, unless it alone leads to some version.
        -D, --force-delete  Delete a branch, even if it alone leads to some version.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git branch. The branch that a container is on moves to each new version
        of it. To put a container on another branch, see lxcv checkout. Deleting a
        branch deletes no version.

      SHORT FORMS
        lxcv br

      EXAMPLES
        $ lxcv branch mysql
        $ lxcv branch mysql tuning mysql@1
        $ lxcv branch mysql --move tuning fast
        $ lxcv branch mysql --delete tuning

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });

  it('of lxcv checkout', () => {
    expect(helpOf('checkout')).toMatchInlineSnapshot(`
      "Make a container from a version, or switch one to it in place.

      USAGE
        lxcv checkout [-b BRANCH | --detach] [--restart] [--accept-base] REVISION
            [NEW]

      ARGUMENTS
        REVISION  NAME[@REV]: a version of a container or repository.
        NEW       The container to make.

      OPTIONS
        -b, --branch BRANCH  The branch to be on; created if it does not exist.
            --detach         Be on no branch.
            --restart        Stop a running container for the switch, and start it
                             again.
            --accept-base    Proceed although the base has changed, and record its new
                             state.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        With NEW, makes a container of that name, on a branch of its own, as lxc-snap
        -r did and git worktree add does. Without NEW, switches the container that
        REVISION names, as git switch does. It keeps its name and addresses, and must
        be stopped, or be restarted by --restart.
        
        Nothing is lost: what was not committed is first kept as a version, on the
        branch that the container is on (also with --branch), and the command that
        goes back to it is printed. To take it along to a new branch, rename the
        present branch and create it again: lxcv branch mysql -m mysql tuning, lxcv
        branch mysql mysql.
        
        --restart waits up to a minute for the container to stop (lxc.signal.halt),
        and then kills it.

      SHORT FORMS
        lxcv co

      EXAMPLES
        $ lxcv checkout mysql@2 mysql_tmp
        $ lxcv checkout mysql@3
        $ lxcv checkout mysql --branch tuning
        $ lxcv checkout mysql@1 mysql_try --branch experiment

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged. With --restart, 1 also where the checkout was made and the
        container could not be started again."
    `);
  });

  it('of lxcv commit', () => {
    expect(helpOf('commit')).toMatchInlineSnapshot(`
      "Make a version of what a container holds.

      USAGE
        lxcv commit [-m TEXT]... [-F FILE] [--author "NAME <EMAIL>"] [--restart]
            [--allow-empty] [--allow-empty-message] [--accept-base]
            [--max-pause SECONDS] CONTAINER

      ARGUMENTS
        CONTAINER  The container.

      OPTIONS
        -m, --message TEXT...        The message; given twice, two paragraphs.
        -F, --file FILE              Take the message from a file; - is standard
                                     input.
            --author "NAME <EMAIL>"  The author, if it is not you.
            --restart                Stop a running container for its first commit,
                                     and start it again.
            --allow-empty            Make a version even if nothing changed.
            --allow-empty-message    Make a version even without a message.
            --accept-base            Proceed although the base has changed, and record
                                     its new state.
            --max-pause SECONDS      For how long a running container may be frozen
                                     (default: 10).

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git commit -a: there is no index, and everything that changed is
        committed. It takes the place of lxc-snap NAME. A stopped container can start
        again after milliseconds, whatever its size: nothing is copied. A running one
        is copied while it runs, and is frozen only while lxcv copies what changed
        meanwhile.
        
        The first commit moves the container's root file system into the store. For
        that the container must be stopped, or be stopped and started again by
        --restart, which waits up to a minute for it to stop (lxc.signal.halt), and
        then kills it.
        
        Without -m and -F, an editor asks for the message.

      SHORT FORMS
        lxcv ci

      EXAMPLES
        $ lxcv commit -m "Initial customisation" mysql
        $ lxcv commit -F /tmp/comment mysql

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged. With --restart, 1 also where the version was made and the
        container could not be started again."
    `);
  });

  it('of lxcv diff', () => {
    expect(helpOf('diff')).toMatchInlineSnapshot(`
      "Show what differs between two versions, or a version and what a container holds
      now.

      USAGE
        lxcv diff [--name-only | --name-status | --stat | --metadata |
            --packages | -p] [--exit-code] [-q] [-U N] FROM [TO] [-- PATH...]

      ARGUMENTS
        FROM  NAME[@REV]: a version; NAME@WORK, NAME@BASE; or both: NAME@A..B.
        TO    The same (default: what the container holds now).
        PATH  Only this, and what is below it.

      OPTIONS
            --name-only    Show every path, and nothing else.
            --name-status  Show every path with a letter: A added, M modified, D
                           removed, R moved, T of another type, m metadata only.
            --stat         Show the size that each path had and has.
            --metadata     Show what changed of modes, owners, times, ACLs,
                           capabilities and other extended attributes.
            --packages     Show which packages of dpkg, apk and rpm were installed,
                           removed and upgraded.
        -p, --patch        Show what differs in texts and in modes of files, as git
                           does.
            --exit-code    End with 1 where anything differs, and with 0 where nothing
                           does.
        -q, --quiet        Show nothing, and end as with --exit-code.
        -U, --unified N    Lines of context.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git diff; a letter and a path a line, as git diff --name-status shows it.
        
        Without PATH, changes of the LXC config follow under a heading, but not with
        --name-only, --name-status, --packages and -p. Where nothing else changed,
        there is nothing to commit: a version keeps the config that its container has
        when it is made.

      EXAMPLES
        $ lxcv diff mysql
        $ lxcv diff mysql@1 mysql@2
        $ lxcv diff mysql@1..2
        $ lxcv diff mysql@1 -p -- /etc
        $ lxcv diff --packages mysql@1 mysql

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged. With --exit-code or --quiet, 1 also where anything differs."
    `);
  });

  it('of lxcv export', () => {
    expect(helpOf('export')).toMatchInlineSnapshot(`
      "Write the whole root file system of a version to a tarball.

      USAGE
        lxcv export [-o FILE] [--accept-base] REVISION [FILE]

      ARGUMENTS
        REVISION  NAME[@REV]
        FILE      The same as --output.

      OPTIONS
        -o, --output FILE  The file to write; - is standard output.
            --accept-base  Proceed although the base has changed.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git archive. Owners are numeric; extended attributes, ACLs and
        capabilities are kept. The name of the file says how it is compressed: .tar,
        .tar.gz (.tgz), .tar.xz (.txz), .tar.zst (.tzst), .tar.bz2 (.tbz2); one
        without an ending is not compressed.

      EXAMPLES
        $ lxcv export mysql@2 -o mysql_ship.tar.gz

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });

  it('of lxcv fsck', () => {
    expect(helpOf('fsck')).toMatchInlineSnapshot(`
      "Verify the store.

      USAGE
        lxcv fsck [REPOSITORY]

      ARGUMENTS
        REPOSITORY  The repository; all of them without it.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git fsck, but it does not read the bytes of files. It reads every
        manifest, ref and record, checks the extended attributes of every path of
        every version for what overlayfs would not keep, and compares each base by its
        4096 shallowest entries. It does not notice that a file of a version is
        missing, or that its bytes, size or mode have changed. It changes nothing.

      EXAMPLES
        $ lxcv fsck
        $ lxcv fsck mysql

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged. 5 where something was found, 1 where that is only a pending
        operation."
    `);
  });

  it('of lxcv grep', () => {
    expect(helpOf('grep')).toMatchInlineSnapshot(`
      "Show the lines of the texts in versions that match a pattern.

      USAGE
        lxcv grep [-i] [-w] [-E | -F | --perl] [-l] PATTERN REVISION...
            [-- PATH...]

      ARGUMENTS
        PATTERN   What to look for.
        REVISION  NAME[@REV]; NAME@WORK, NAME@BASE. More may follow.
        PATH      Only this, and what is below it.

      OPTIONS
        -i, --ignore-case         Upper and lower case are the same.
        -w, --word                Match whole words alone.
        -E, --extended            An extended regular expression.
        -F, --fixed               A text as it stands.
            --perl                An expression of Perl's.
        -l, --files-with-matches  Show only the names of the files.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git grep, with the patterns of GNU grep. Binary files are skipped. A file
        that could not be searched to its end is reported.

      EXAMPLES
        $ lxcv grep max_connections mysql@1 mysql@2 -- /etc
        $ lxcv grep -i password mysql@WORK

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged. 1 also where nothing matches, or where a file could not be
        searched to its end."
    `);
  });

  it('of lxcv list', () => {
    expect(helpOf('list')).toMatchInlineSnapshot(`
      "Show which containers have versions.

      USAGE
        lxcv list

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Shows the branch, version and state of each container, and whether it holds
        changes that are not committed; then the repositories that no container uses,
        and what was set aside. lxc-snap -l showed the same of its snapshots.

      SHORT FORMS
        lxcv ls

      EXAMPLES
        $ lxcv list

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged. The highest code of what could not be read, where something
        could not; the rest is shown."
    `);
  });

  it('of lxcv log', () => {
    expect(helpOf('log')).toMatchInlineSnapshot(`
      "Show the versions that led to where a container is.

      USAGE
        lxcv log [-n N] [-a] [--graph] [--oneline] REVISION [-- PATH...]

      ARGUMENTS
        REVISION  NAME[@REV]: where to begin.
        PATH      Only this, and what is below it.

      OPTIONS
        -n, --limit N  Show no more than the newest N; -3 is -n 3.
        -a, --all      Show the versions of all branches.
            --graph    Draw which version came from which.
            --oneline  Show number, id and the first line of the message.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git log, and like lxc-snap -l NAME. With PATH, shows only the versions
        that changed something there in their first parent.

      EXAMPLES
        $ lxcv log mysql
        $ lxcv log mysql --graph --all
        $ lxcv log mysql@tuning -5 --oneline
        $ lxcv log mysql -- /etc/mysql

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });

  it('of lxcv mount', () => {
    expect(helpOf('mount')).toMatchInlineSnapshot(`
      "Mount a version on a directory, read-only.

      USAGE
        lxcv mount [--accept-base] REVISION DIRECTORY

      ARGUMENTS
        REVISION   NAME[@REV]
        DIRECTORY  An empty directory.

      OPTIONS
            --accept-base  Proceed although the base has changed.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Shows exactly what the version holds. Devices and set-user-id programs in it
        do not work. lxcv umount ends it.

      EXAMPLES
        $ lxcv mount mysql@2 /mnt

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });

  it('of lxcv show', () => {
    expect(helpOf('show')).toMatchInlineSnapshot(`
      "Show a version, or a file or directory in one.

      USAGE
        lxcv show [-v] WHAT

      ARGUMENTS
        WHAT  NAME[@REV], NAME[@REV]:PATH or NAME[@REV] PATH.

      OPTIONS
        -v, --verbose  Show every path.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git show. Of a version, it shows author, date, message, and which paths
        it changed. Of a file it prints the bytes; of a directory it lists what it
        holds; of a symbolic link it shows where it leads. No link is followed.
        NAME@WORK:PATH is what a container holds now, and NAME@BASE:PATH is what lies
        below all its versions.

      EXAMPLES
        $ lxcv show mysql@2
        $ lxcv show mysql@2:/etc/mysql/my.cnf
        $ lxcv show mysql@tuning~1:/etc

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });

  it('of lxcv status', () => {
    expect(helpOf('status')).toMatchInlineSnapshot(`
      "Show what changed in a container since its last version.

      USAGE
        lxcv status [-a] [-s | -v] [CONTAINER]

      ARGUMENTS
        CONTAINER  The container.

      OPTIONS
        -a, --all      Show this of every container that has versions.
        -s, --short    Show a letter and a path a line, and nothing else; with --all
                       CONTAINER:PATH.
        -v, --verbose  Show every path.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git status; there is no index. Changes of the LXC config are not shown
        here, but by lxcv diff: a version keeps the config that its container has when
        it is made.

      SHORT FORMS
        lxcv st

      EXAMPLES
        $ lxcv status mysql
        $ lxcv status --all

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged. With --all, the highest code of what could not be read,
        where something could not; the rest is shown."
    `);
  });

  it('of lxcv tag', () => {
    expect(helpOf('tag')).toMatchInlineSnapshot(`
      "List, create or delete tags.

      USAGE
        lxcv tag [-m TEXT] [-a] [-d] NAME [TAG] [REVISION]

      ARGUMENTS
        NAME      The container or repository.
        TAG       The tag to create or delete.
        REVISION  NAME[@REV]: the version that it is on (default: HEAD).

      OPTIONS
        -m, --message TEXT  Annotate the tag.
        -a, --annotate      As in git; --message alone does the same.
        -d, --delete        Delete the tag; the version stays.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      DESCRIPTION
        Like git tag. A tag is a name that stays on one version. With -m it also
        records who set it, when and why.

      EXAMPLES
        $ lxcv tag mysql
        $ lxcv tag mysql v1.0 -m "As shipped"
        $ lxcv tag mysql before-upgrade mysql@2
        $ lxcv tag mysql --delete v1.0

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });

  it('of lxcv umount', () => {
    expect(helpOf('umount')).toMatchInlineSnapshot(`
      "Unmount what lxcv mount has mounted.

      USAGE
        lxcv umount DIRECTORY

      ARGUMENTS
        DIRECTORY  The directory.

      COMMON OPTIONS
        -P, --lxcpath DIR  Where the containers are (default: LXC's own lxcpath).
            --json         Print JSON.
        -h, --help         Show this help.

      SHORT FORMS
        lxcv unmount

      EXAMPLES
        $ lxcv umount /mnt

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the
        store is damaged."
    `);
  });
});

function helpOf(name: string): string {
  return renderHelp(name, SHAPES[name] as CommandShape, 80);
}
