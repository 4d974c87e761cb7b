# SPDX-License-Identifier: GPL-2.0
#
# Plots of commit.dat and refault.dat, which lab/bench-report writes.

set terminal svg size 760,480 font "sans-serif,13" background "white"
set key top left
set logscale x 2
set logscale y 10
set grid
set format y "%.0s %cs"
set xlabel "size of the HPT"
set xtics ("1 MiB" 2**20, "4 MiB" 2**22, "16 MiB" 2**24, "64 MiB" 2**26, \
	"256 MiB" 2**28, "1 GiB" 2**30)
set xrange [2**19.5:2**30.5]

set style line 1 lc rgb "#b2182b" lw 2 pt 7
set style line 2 lc rgb "#e08214" lw 2 pt 5
set style line 3 lc rgb "#2166ac" lw 2 pt 9
set style line 11 lc rgb "#b2182b" lw 1 pt 6 dt 2
set style line 12 lc rgb "#e08214" lw 1 pt 4 dt 2
set style line 13 lc rgb "#2166ac" lw 1 pt 8 dt 2

set output "commit.svg"
set ylabel "time of COMMIT"
plot for [i=0:2] "commit.dat" index 2*i using (2**$1):($2*1e-9) \
	with linespoints ls i+1 title word("stock copy mirror", i+1).", growing", \
	for [i=0:2] "commit.dat" index 2*i+1 using (2**$1):($2*1e-9) \
	with linespoints ls i+11 title word("stock copy mirror", i+1).", shrinking"

set output "refault.svg"
set ylabel "from COMMIT until the working set is touched again"
plot for [i=0:2] "refault.dat" index i using (2**$1):($2*1e-9) \
	with linespoints ls i+1 title word("stock copy mirror", i+1)
