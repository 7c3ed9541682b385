using System.Collections.Concurrent;

namespace Microsoft.ML.Runtime;

/// <summary>Random numbers, channels and settings of an environment and of the hosts under it.</summary>
internal abstract partial class HostEnvironmentBase<TEnv> : ChannelProviderBase, IHostEnvironmentInternal
    where TEnv : HostEnvironmentBase<TEnv>
{
    private readonly HostEnvironmentBase<TEnv> _master;
    private readonly ConcurrentDictionary<Type, object> _listeners;
    private readonly Random _rand;
    private readonly Lock _registering = new();

    protected HostEnvironmentBase(int? seed, bool verbose)
        : base(null, null, verbose)
    {
        Seed = seed;
        _rand = RandomUtils.Create(seed);
        _listeners = new ConcurrentDictionary<Type, object>();
        ComponentCatalog = new ComponentCatalog();
    }

    protected HostEnvironmentBase(HostEnvironmentBase<TEnv> source, Random rand, bool verbose, string shortName, string parentFullName)
        : base(shortName, parentFullName, verbose)
    {
        _master = source;
        _rand = rand;
        _listeners = source._listeners;
        ComponentCatalog = source.ComponentCatalog;
        Seed = source.Seed;
        GpuDeviceId = source.GpuDeviceId;
        FallbackToCpu = source.FallbackToCpu;
    }

    public string TempFilePath { get; set; } = Path.GetTempPath();

    public int? GpuDeviceId { get; set; }

    public bool FallbackToCpu { get; set; }

    public int? Seed { get; }

    public ComponentCatalog ComponentCatalog { get; }

    public override string ContextDescription => "HostEnvironment";

    public override TException Process<TException>(TException ex)
    {
        if (ex != null)
        {
            ex.Data["Throwing component"] = "Environment";
            Contracts.Mark(ex);
        }

        return ex;
    }

    public IHost Register(string name, int? seed = null, bool? verbose = null)
    {
        Contracts.CheckNonEmpty(name, nameof(name));
        HostBase host;
        lock (_registering)
        {
            // Without a seed of its own a host takes its random state from here: so the second host differs from the first.
            Random rand = seed.HasValue ? RandomUtils.Create(seed.Value) : RandomUtils.Create(_rand);
            host = CreateHost(this, name, _master?.FullName, rand, verbose ?? Verbose);
        }

        if (_master == null)
            host.TempFilePath = TempFilePath;
        return host;
    }

    public IChannel Start(string name) => new Channel(this, name, Dispatcher<ChannelMessage>());

    public IPipe<TMessage> StartPipe<TMessage>(string name) => new Pipe<TMessage>(this, name, Dispatcher<TMessage>());

    public IProgressChannel StartProgressChannel(string name)
    {
        Contracts.CheckNonEmpty(name, nameof(name));
        return new SilentProgressChannel();
    }

    public void AddListener<TMessage>(Action<IMessageSource, TMessage> listener)
    {
        Contracts.CheckValue(listener, nameof(listener));
        _listeners.AddOrUpdate(typeof(TMessage), listener, (_, known) => (Action<IMessageSource, TMessage>)known + listener);
    }

    protected abstract HostBase CreateHost(HostEnvironmentBase<TEnv> source, string shortName, string parentFullName, Random rand, bool verbose);

    private Action<IMessageSource, TMessage> Dispatcher<TMessage>() => (source, message) =>
    {
        if (_listeners.TryGetValue(typeof(TMessage), out object listener))
            ((Action<IMessageSource, TMessage>)listener)(source, message);
    };
}
