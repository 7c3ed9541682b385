using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A source of random numbers.</summary>
    public unsafe class Generator : IDisposable
    {
        internal Generator(IntPtr nativeHandle)
        {
            Handle = nativeHandle;
            device = CPU;
        }

        // On the processor whatever the device, as in the real library.
        public Generator(ulong seed = 0, Device? device = null) : this(New(seed)) => this.device = device ?? CPU;

        public IntPtr Handle { get; private set; }

        public Device device { get; private set; }

        /// <summary>A new reference to the generator that is used where none is given.</summary>
        public static Generator Default => new(Native.shim_generator_default());

        public Tensor get_state()
        {
            nint state;
            Native.Check(Native.shim_generator_state(Handle, &state));
            return new Tensor(state);
        }

        public void set_state(Tensor value)
        {
            bool done = Native.shim_generator_set_state(Handle, value.Handle);
            GC.KeepAlive(value);
            Native.Check(done);
        }

        public Generator manual_seed(long seed)
        {
            Native.shim_generator_set_seed(Handle, seed);
            return this;
        }

        public long seed()
        {
            long seed = DateTime.UtcNow.Ticks;
            manual_seed(seed);
            return seed;
        }

        public long initial_seed() => Native.shim_generator_seed(Handle);

        ~Generator() => Dispose(false);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (Handle != 0) Native.shim_generator_release(Handle);
            Handle = 0;
        }

        private static nint New(ulong seed)
        {
            InitializeDeviceType(DeviceType.CPU);
            return Native.shim_generator_new(seed);
        }
    }
}
