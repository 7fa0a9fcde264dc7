import { jvpRule, transposeRule } from "@hessia/autodiff/extend";
import type { RuleKind } from "@hessia/core/extend";
import { rulesLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

/** `nonDifferentiable(reason)` is a jvp rule too. Primitives that are linear in some inputs only show their transpose in the adjoint law. */
overRegistry("every primitive has its rules", (p) => rulesLaw(p, [jvpRule as RuleKind<unknown>, ...(p.facts.linear ? [transposeRule as RuleKind<unknown>] : [])]), 110);
