import math
import numpy as np
from numpy.linalg import inv
import validation.box_scenes as bs
from validation.box_scenes import *
from tocsin.tracking import window as w
from tocsin.tracking.jpda import marginals, blend

def track_jpda(s):
    x, P = s.x.copy(), np.repeat(s.P[None], len(s.x), axis=0)
    out = np.empty((SECONDS, len(x), 6))
    t = 0.0
    n=len(x)
    for scan in s.scans:
        xo, Po, gain, _ = step(x, P, scan, t)
        t = scan.t
        a, b = np.nonzero(gain > -math.inf)
        beta, none = marginals(a, b, gain[a, b], math.log(1-PD))
        rows=np.unique(a); alone=np.ones(n); alone[rows]=none
        g=np.r_[np.arange(n),a]
        xx=np.concatenate((x,xo[a,b]))[:,None]; PP=np.concatenate((P,Po[a,b]))[:,None]
        xb,Pb,_=blend(g,n,np.r_[alone,beta],np.ascontiguousarray(xx),np.ascontiguousarray(PP),np.ones((len(g),1)))
        x,P=np.ascontiguousarray(xb[:,0]),np.ascontiguousarray(Pb[:,0])
        out[int(t) - 1] = x
    return out

class Window:
    def __init__(self, s, tries=0, sweeps=5, hottest=3.0, relin=2, rounds=20, truth_init=False):
        self.s=s; self.tries=tries; self.sweeps=sweeps; self.hottest=hottest; self.relin=relin; self.rounds=rounds
    def lin(self, scans, xref, x0, P0):
        n=len(xref); S=len(scans)
        first=np.concatenate(([0],np.cumsum([len(q.z) for q in scans]))).astype(np.int64)
        z=np.concatenate([q.z for q in scans]); D=len(z)
        level=np.concatenate([math.log(PD/(1-PD))-ln_false(q.z) for q in scans])
        t=np.array([q.t for q in scans]); dt=np.zeros(S)
        kind=np.zeros(S,dtype=np.int64); region=np.ones(S,dtype=np.int64)
        plat=np.array([q.platform for q in scans]); att=np.tile(ATTITUDE,(S,1)); R=np.tile(NOISE,(S,1,1))
        G=np.empty((n,S,6,6)); H=np.empty((n,S,4,6)); y=np.empty((n,D,6)); r=np.empty((n,D,4)); c=np.empty((n,D))
        for a in range(n):
            w._linear(xref[a],0.0,0.0,Q,t,dt,kind,region,plat,att,R,first,z,level,G[a],H[a],y[a],r[a],c[a])
        I0=np.array([inv(P) for P in P0]); dx=x0-xref
        y0=np.einsum('aij,aj->ai',I0,dx); c0=-0.5*np.einsum('ai,ai->a',y0,dx)+0.5*np.array([np.linalg.slogdet(i)[1] for i in I0])
        return first,z,G,H,y,r,c,I0,y0,c0

def refilter(s, scans, own, first, x0, P0):
    x,P=x0.copy(),P0.copy(); t=0.0
    for k,scan in enumerate(scans):
        if scan.t!=t: carry(x,P,scan.t-t,Q); t=scan.t
        apply(x,P,scan.z,NOISE,scan.platform,ATTITUDE,own[:,k]-first[k])
    return x,P

@kernel
def apply(x,P,z,R,platform,attitude,b):
    centre=np.zeros(6); d=np.empty(1)
    for a in range(x.shape[0]):
        if b[a]>=0:
            update(x[a],P[a],6,_RAE,0.0,_VIEW,platform,attitude,z[b[a]],R,False,centre,1,d)
_RAE, _VIEW = Kind.RAE, Region.VIEW

LOG=[]
def track_win(s, **kw):
    W=Window(s,**kw); n=len(s.x); x0=s.x.copy(); P0=np.repeat(s.P[None],n,axis=0)
    xref=x0.copy(); out=np.empty((SECONDS,n,6)); own=np.zeros((n,0),dtype=np.int64)
    LOG.clear()
    for k in range(1,len(s.scans)+1):
        scans=s.scans[:k]
        own=np.hstack((own,np.full((n,1),-1))).astype(np.int64)
        if scans[-1].t!=(s.scans[k].t if k<len(s.scans) else -1) :
            for it in range(W.relin):
                first,z,G,H,y,r,c,I0,y0,c0=W.lin(scans,xref,x0,P0)
                best=w._search(own,I0,y0,c0,G,H,y,r,c,first,GATE,W.rounds,W.tries,W.sweeps,W.hottest,np.uint64(k))
                I=np.empty((6,6));Y=np.empty(6);L=np.zeros((6,6));xx=np.empty(6)
                for a in range(n):
                    w._sum_up(own[a],I0[a],y0[a],G[a],y[a],c[a],I,Y); w._evidence(I,Y,L,xx); xref[a]+=xx
            # truth worth
            tr=np.full((n,k),-1)
            for q,sc in enumerate(scans):
                for b,src in enumerate(sc.source):
                    if src>=0: tr[src,q]=first[q]+b
            first,z,G,H,y,r,c,I0,y0,c0=W.lin(scans,xref,x0,P0)
            LOG.append((k,w._worth(own,I0,y0,c0,G,y,c)-w._worth(tr,I0,y0,c0,G,y,c)))
            xx,_=refilter(s,scans,own,first,x0,P0)
            out[int(scans[-1].t)-1]=xx
    return out
def track_win1(s): return track_win(s,tries=1)
def track_win3(s): return track_win(s,tries=3)

def align(xs, ref):
    # xs (k,n,6): put in order of ref by positions
    for _ in range(3):
        out=np.empty_like(xs)
        for k in range(len(xs)):
            cost=np.sum((ref[:,None,:3]-xs[k][None,:,:3])**2,axis=2)
            out[k]=xs[k][linear_sum_assignment(cost)[1]]
        ref=out.mean(axis=0)
    return out

def track_mc(s, sweeps=20, burn=5, every=1, temper=1.0, keepfrom=0):
    W=Window(s); n=len(s.x); x0=s.x.copy(); P0=np.repeat(s.P[None],n,axis=0)
    xref=x0.copy(); out=np.empty((SECONDS,n,6)); own=np.zeros((n,0),dtype=np.int64)
    LOG.clear()
    I=np.empty((6,6));Y=np.empty(6);L=np.zeros((6,6));xx=np.empty(6)
    for k in range(1,len(s.scans)+1):
        scans=s.scans[:k]
        own=np.hstack((own,np.full((n,1),-1))).astype(np.int64)
        if k<len(s.scans) and s.scans[k].t==scans[-1].t: continue
        first,z,G,H,y,r,c,I0,y0,c0=W.lin(scans,xref,x0,P0)
        # first guess of the new scans
        II=np.empty((n,6,6));YY=np.empty((n,6))
        for a in range(n): w._sum_up(own[a],I0[a],y0[a],G[a],y[a],c[a],II[a],YY[a])
        for q in (k-2,k-1): w._assign_scan(q,own,II,YY,G,H,y,r,c,first,GATE,0.0,np.uint64(0),0)
        st=np.empty((sweeps,n,6))
        w._sample(own,I0,y0,G,y,c,first,sweeps,0,np.uint64(k),st,temper)
        st=st[burn:]+xref
        now=np.empty_like(st)
        for a in range(len(st)):
            u=st[a].copy(); carry(u,np.zeros((n,6,6)),scans[-1].t,0.0); now[a]=u
        al=align(now,now[-1])
        out[int(scans[-1].t)-1]=al.mean(axis=0)
        xref=st.mean(axis=0)  if False else st[-1].copy()
        tr=np.full((n,k),-1)
        for q,sc in enumerate(scans):
            for b,src in enumerate(sc.source):
                if src>=0: tr[src,q]=first[q]+b
        LOG.append((k,w._worth(own,I0,y0,c0,G,y,c)-w._worth(tr,I0,y0,c0,G,y,c)))
    return out
def track_mc50(s): return track_mc(s,50,10)
def track_mc100(s): return track_mc(s,100,20)
def track_mc10(s): return track_mc(s,12,2)
