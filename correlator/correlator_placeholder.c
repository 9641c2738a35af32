/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/correlator.h"
