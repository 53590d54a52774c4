/*
 * What a caller can see: its tools, its agents. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_TOOLS_H
#define CALLGATE_ENGINE_METHODS_TOOLS_H

struct methods_ask;

#define TOOLS_PAGE 100 /* tools in one answer */

/* tools/list {cursor?} */
void list_tools(const struct methods_ask *ask);
/* callgate/agents/list */
void list_agents(const struct methods_ask *ask);

#endif
