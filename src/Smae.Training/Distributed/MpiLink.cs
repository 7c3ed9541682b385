using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Smae.Training;

/// <summary>
/// The processes of an <c>mpirun</c>. MPI is called on a thread of its own and nowhere else, so that whoever waits can stop waiting. A process that ends waits
/// for the first, without using a processor meanwhile; one that ends with an error does not, and MPI's launcher ends the others.
/// </summary>
internal sealed unsafe class MpiLink : RankLink
{
    private const string Mpich = "libmpich.so.12";
    private const int Leaving = 1;   // the tag of the first rank's last message
    private static readonly TimeSpan s_forAll = TimeSpan.FromMinutes(5), s_poll = TimeSpan.FromMilliseconds(20);
    private static readonly nint s_inPlace = -1;   // MPICH's MPI_IN_PLACE
    private static readonly Lazy<MpiLink> s_ofProcess = new(() => new MpiLink());
    private static bool s_isMpich;
    private readonly BlockingCollection<Action> _work = [];
    private readonly IReadOnlyList<string> _hosts;
    private readonly int _rank;
    private bool _isStuck;

    private MpiLink()
    {
        NativeTuning.Apply();
        LibTorch.Require();
        NativeLibrary.SetDllImportResolver(typeof(MPI.Unsafe).Assembly, Resolve);
        new Thread(() =>
        {
            foreach (Action action in _work.GetConsumingEnumerable()) action();
        }) { IsBackground = true, Name = "Smae MPI" }.Start();
        int rank = 0, size = 1;
        Do(new(s_forAll, "the other ranks to start"), () =>
        {
            int none = 0;
            byte** noArguments = null;
            Check(MPI.Unsafe.MPI_Init_thread(ref none, ref noArguments, MPI.Unsafe.MPI_THREAD_SERIALIZED, out _));
            Check(MPI.Unsafe.MPI_Comm_rank(MPI.Unsafe.MPI_COMM_WORLD, out rank));
            Check(MPI.Unsafe.MPI_Comm_size(MPI.Unsafe.MPI_COMM_WORLD, out size));
        });
        (_rank, _hosts) = (rank, new string[size]);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Leave();
        string[] places = [.. Gather(Encoding.UTF8.GetBytes($"{Environment.MachineName}|{Processors()}"), new(s_forAll, "the hosts of all ranks"))
            .Select(Encoding.UTF8.GetString)];
        _hosts = [.. places.Select(place => place.Split('|')[0])];
        int sharing = places.Count(place => place == places[rank]);   // a launcher may have given each rank processors of its own
        bool isSet = ((string[])["OMP_NUM_THREADS", "MKL_NUM_THREADS"]).Any(name => Environment.GetEnvironmentVariable(name) is not null);
        if (!isSet) set_num_threads(Math.Max(1, Environment.ProcessorCount / sharing));   // MKL's own guess under MPI may be 1
    }

    /// <summary>The one that this process has; it is connected at the first call.</summary>
    public static MpiLink OfProcess => s_ofProcess.Value;

    public override int Rank => _rank;

    public override IReadOnlyList<string> Hosts => _hosts;

    public override void Sum(double[] values, Wait wait) => Do(wait, () =>
    {
        fixed (double* numbers = values)
            Check(MPI.Unsafe.MPI_Allreduce(s_inPlace, (nint)numbers, values.Length, MPI.Unsafe.MPI_DOUBLE, MPI.Unsafe.MPI_SUM, MPI.Unsafe.MPI_COMM_WORLD));
    });

    public override void Sum(nint floats, long count, Wait wait) => Do(wait, () => Check(
        MPI.Unsafe.MPI_Allreduce(s_inPlace, floats, checked((int)count), MPI.Unsafe.MPI_FLOAT, MPI.Unsafe.MPI_SUM, MPI.Unsafe.MPI_COMM_WORLD)));

    public override void AllToAll(nint send, nint receive, int bytesPerRank, Wait wait) => Do(wait, () => Check(
        MPI.Unsafe.MPI_Alltoall(send, bytesPerRank, MPI.Unsafe.MPI_BYTE, receive, bytesPerRank, MPI.Unsafe.MPI_BYTE, MPI.Unsafe.MPI_COMM_WORLD)));

    public override byte[][] Gather(byte[] own, Wait wait)
    {
        int[] lengths = new int[Count], begins = new int[Count];
        byte[] all = [];
        Do(wait, () =>
        {
            int length = own.Length;
            fixed (int* each = lengths)
                Check(MPI.Unsafe.MPI_Allgather((nint)(&length), 1, MPI.Unsafe.MPI_INT, (nint)each, 1, MPI.Unsafe.MPI_INT, MPI.Unsafe.MPI_COMM_WORLD));
            for (int i = 1; i < Count; i++) begins[i] = checked(begins[i - 1] + lengths[i - 1]);
            all = new byte[checked(begins[^1] + lengths[^1])];
            fixed (byte* from = own, to = all)
                Check(MPI.Unsafe.MPI_Allgatherv((nint)from, length, MPI.Unsafe.MPI_BYTE, (nint)to, lengths, begins, MPI.Unsafe.MPI_BYTE, MPI.Unsafe.MPI_COMM_WORLD));
        });
        return [.. Enumerable.Range(0, Count).Select(i => all[begins[i]..(begins[i] + lengths[i])])];
    }

    public override void Broadcast(nint bytes, long count, Wait wait) => Do(wait, () =>
    {
        const long most = 1 << 30;
        for (long from = 0; from < count; from += most)
            Check(MPI.Unsafe.MPI_Bcast(bytes + (nint)from, (int)Math.Min(most, count - from), MPI.Unsafe.MPI_BYTE, 0, MPI.Unsafe.MPI_COMM_WORLD));
    });

    /// <summary>Has MPI's thread do something, and waits for it.</summary>
    /// <exception cref="TimeoutException">It took longer than it may.</exception>
    private void Do(Wait wait, Action work)
    {
        if (_isStuck) throw new TimeoutException($"{Me} has waited in vain for other ranks already.");
        Exception? failure = null;
        var done = new ManualResetEventSlim();
        _work.Add(() =>
        {
            try
            {
                work();
            }
            catch (Exception e)
            {
                failure = e;
            }
            done.Set();
        });
        if (!done.Wait(wait.Longest))
        {
            _isStuck = true;
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture,
                $"{Me} waited {wait.Longest.TotalSeconds:0.#} seconds for {wait.For}: another rank hangs, or the network does. DataParallel.Timeout allows more."));
        }
        if (failure is not null) ExceptionDispatchInfo.Throw(failure is DllNotFoundException ? new DllNotFoundException(Missing, failure) : failure);
    }

    private string Me => string.Create(CultureInfo.InvariantCulture, $"Rank {_rank} ({Environment.MachineName})");

    private static string Missing => "MPI was not found. " + (OperatingSystem.IsWindows()
        ? "Install Microsoft MPI (msmpisetup.exe, from the download page of Microsoft MPI), whose mpiexec starts programs."
        : OperatingSystem.IsMacOS() ? "Install MPICH: brew install mpich."
        : "Install MPICH: apt-get install mpich on Debian and Ubuntu, whose mpirun.mpich starts programs.");

    /// <summary>Which processors this process may use, where the system tells: ranks of one host that may use the same share them.</summary>
    private static string Processors() => !OperatingSystem.IsLinux() ? ""
        : File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)) ?? "";

    /// <summary>MPI.NET asks for Microsoft's library, whose binary interface is MPICH's.</summary>
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (OperatingSystem.IsWindows()) return 0;
        foreach (string library in (string[])[Mpich, "libmpi.so.12", "libmpi.12.dylib", "/opt/homebrew/lib/libmpi.12.dylib"])
            if (NativeLibrary.TryLoad(library, out nint handle))
            {
                s_isMpich = library == Mpich;
                return handle;
            }
        return 0;
    }

    private static void Check(int code)
    {
        if (code != MPI.Unsafe.MPI_SUCCESS) throw new IOException(string.Create(CultureInfo.InvariantCulture, $"MPI failed with code {code}."));
    }

    /// <summary>The end of the process.</summary>
    private void Leave()
    {
        if (_isStuck || Environment.ExitCode != 0) return;   // the launcher then ends the others
        try
        {
            Do(new(Rank == 0 ? s_forAll : System.Threading.Timeout.InfiniteTimeSpan, "the other ranks to end"), () =>
            {
                for (int to = 1; Rank == 0 && to < Count; to++) Check(MPI.Unsafe.MPI_Send(0, 0, MPI.Unsafe.MPI_BYTE, to, Leaving, MPI.Unsafe.MPI_COMM_WORLD));
                if (Rank > 0) AwaitFirst();
                Check(MPI.Unsafe.MPI_Barrier(MPI.Unsafe.MPI_COMM_WORLD));
                if (!TellHydra()) Check(MPI.Unsafe.MPI_Finalize());
            });
        }
        catch (Exception e) when (e is TimeoutException or IOException)
        {
            Console.Error.WriteLine(e.Message);
        }
    }

    /// <summary>
    /// Tells MPICH's launcher that this process is done, as MPI_Finalize does in the end. Before MPICH 4.2 that may wait forever over TCP, for a rank that is through
    /// with it but for the launcher and answers no more (pmodels/mpich#6596).
    /// </summary>
    /// <returns>Whether this is MPICH of Linux, hydra the launcher, and it has heard it.</returns>
    private static bool TellHydra()
    {
        if (!s_isMpich || Environment.GetEnvironmentVariable("MPI_LOCALRANKID") is null
            || !int.TryParse(Environment.GetEnvironmentVariable("PMI_FD"), NumberStyles.None, CultureInfo.InvariantCulture, out int handle)) return false;
        using var launcher = new Socket(new SafeSocketHandle(handle, ownsHandle: false));
        launcher.Send("cmd=finalize\n"u8);
        return launcher.Receive(new byte[256]) > 0;
    }

    private static void AwaitFirst()
    {
        int isThere = 0;
        while (isThere == 0)
        {
            Check(MPI.Unsafe.MPI_Iprobe(0, Leaving, MPI.Unsafe.MPI_COMM_WORLD, out isThere, out _));
            if (isThere == 0) Thread.Sleep(s_poll);
        }
        Check(MPI.Unsafe.MPI_Recv(0, 0, MPI.Unsafe.MPI_BYTE, 0, Leaving, MPI.Unsafe.MPI_COMM_WORLD, out _));
    }
}
